// Everybody in a room hears everything: the relay that a user of Node's ws would write.

import { createServer } from "node:http";
import { WebSocket, WebSocketServer } from "ws";

const BUFFERED_BYTES_MAX = 1024 * 1024;

const [host, port] = (process.argv[2] ?? "127.0.0.1:0").split(":");
const rooms = new Map(); // path → members

const server = createServer();
// The set of all clients that the library would keep is not needed: the rooms know them. It sets TCP_NODELAY by itself.
const sockets = new WebSocketServer({ server, clientTracking: false, perMessageDeflate: false });

sockets.on("connection", (socket, { url }) => {
  // An error is followed by "close", where the member leaves.
  socket.on("error", () => {});
  if (url === "/echo") {
    socket.on("message", (data, binary) => socket.send(data, { binary }));
    return;
  }
  const members = rooms.get(url) ?? new Set();
  rooms.set(url, members.add(socket));
  socket.on("message", (data, binary) => {
    for (const member of members) {
      if (member.readyState !== WebSocket.OPEN) continue;
      if (member.bufferedAmount > BUFFERED_BYTES_MAX) member.terminate();
      else member.send(data, { binary });
    }
  });
  socket.on("close", () => {
    members.delete(socket);
    if (members.size === 0 && rooms.get(url) === members) rooms.delete(url);
  });
});

server.listen({ host, port: Number(port), backlog: 4096 }, () => {
  console.log(`listening on http://${host}:${server.address().port}`);
});
