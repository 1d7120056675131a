// The modules of the log: the words that --verbose and vlog/set know before anything was logged.

export const LOG_MODULES = ['evpn', 'http', 'main', 'netlink', 'openflow', 'ovsdb', 'unixctl', 'vlog'] as const
export type LogModule = (typeof LOG_MODULES)[number]
