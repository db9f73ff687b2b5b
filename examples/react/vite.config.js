import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const SERVER = process.env.WSRELAY_URL ?? 'http://127.0.0.1:8080';

/** @param {string} path from here */
const path = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { wsrelay: path('../../src/page/client.js') } },
  server: {
    // The client is outside of this directory.
    fs: { allow: [path('.'), path('../../src/page')] },
    // The page and its server have one origin, as they will have when both stand behind one name; `Host` has to stay as it is, or
    // what changes something is refused as another site's.
    proxy: { '/ws': { target: SERVER, ws: true }, '/api': { target: SERVER } },
  },
});
