import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './App.jsx';
import './style.css';

createRoot(document.body.appendChild(document.createElement('div'))).render(<StrictMode><App /></StrictMode>);
