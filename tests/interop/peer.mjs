/**
 * `ws` as a puppet: reads commands and writes events, one JSON object a line.
 *
 *     node peer.mjs URI deflate|plain
 *     -> {"text":"hi"}  {"binary":"AAE="}  {"close":[1000,"bye"]}     binary is base64; the end of input closes too
 *     <- {"open":"permessage-deflate"}  {"text":"hi"}  {"binary":"AAE="}  {"close":[1000,"bye"]}
 */

import { createInterface } from 'node:readline';
import WebSocket from 'ws';

const [uri, compression] = process.argv.slice(2);
const socket = new WebSocket(uri, { perMessageDeflate: compression === 'deflate' });
const tell = (event) => process.stdout.write(`${JSON.stringify(event)}\n`);

socket.on('open', () => tell({ open: socket.extensions }));
socket.on('message', (data, isBinary) => tell(isBinary ? { binary: data.toString('base64') } : { text: data.toString() }));
socket.on('close', (code, reason) => {
  tell({ close: [code, reason.toString()] });
  process.stdin.destroy();
});
socket.on('error', (error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});

const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => {
  const { text, binary, close } = JSON.parse(line);
  if (close !== undefined) socket.close(...close);
  else socket.send(text ?? Buffer.from(binary, 'base64'));
});
commands.on('close', () => socket.close());
