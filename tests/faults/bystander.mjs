/** A thread of its own, so that the clock of a bystander does not wait for what the test is busy with. */

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import WebSocket from 'ws';

const socket = new WebSocket(workerData);
await once(socket, 'open');
parentPort.postMessage('begun');
let isDone = false;
parentPort.once('message', () => { isDone = true; });
const trips = [];
while (!isDone) {
  const began = performance.now();
  socket.send('still there?');
  await once(socket, 'message');
  trips.push(performance.now() - began);
  await pause(5);
}
socket.terminate();
parentPort.postMessage(trips);
