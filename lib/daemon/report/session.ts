// What the words for a session's state tell. They are made by switch-link.ts and main.ts, for people; programs ask here.

/**
 * True when a session to OVSDB or the switch stands and does its work. On a connection that stands, what has failed since comes after a
 * comma: nothing is sent to a switch that could not be read.
 */
export function isConnected(status: string): boolean {
  return status.startsWith('connected') && !status.includes(', but ')
}
