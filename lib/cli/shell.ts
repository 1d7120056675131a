// Commands as the programs print them are the daemon's too (lib/config/shell.ts).
export { command } from '../config/shell.js'
