/** Somebody in the chat with a program instead of the page: for crowds, floods, and long histories. */

import { once } from 'node:events';
import WebSocket from 'ws';

export class Program {
  #socket;
  #lastId = 0;
  /** @type {Map<number, { resolve(ok: any): void, reject(error: Error): void }>} */
  #asked = new Map();

  /** @param {WebSocket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const frame = JSON.parse(data.toString());
      const asked = this.#asked.get(frame.id);
      if (!asked) return;
      this.#asked.delete(frame.id);
      if (frame.type === 'ok') asked.resolve(frame);
      else asked.reject(new Error(`${frame.code}: ${frame.message}`));
    });
    socket.on('close', (code) => {
      for (const { reject } of this.#asked.values()) reject(new Error(`closed with ${code}`));
    });
  }

  /** @param {string} address */
  static async connect(address) {
    const socket = new WebSocket(address, 'wsrelay.v1');
    await once(socket, 'open');
    return new Program(socket);
  }

  close() {
    this.#socket.terminate();
  }

  /** @param {string} type @param {object} fields @returns {Promise<any>} */
  ask(type, fields) {
    const id = this.#lastId += 1;
    this.#socket.send(JSON.stringify({ type, id, ...fields }));
    return new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }));
  }

  /** @param {string} room */
  join(room) {
    return this.ask('join', { room });
  }

  /** One after the other, and some at a time: a session may have so many requests pending. @param {string} room @param {string[]} bodies */
  async post(room, ...bodies) {
    for (let from = 0; from < bodies.length; from += AT_A_TIME) {
      await Promise.all(bodies.slice(from, from + AT_A_TIME).map((body) => this.ask('post', { room, body })));
    }
  }
}

const AT_A_TIME = 50;
