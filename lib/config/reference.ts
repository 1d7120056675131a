// The reference of all keys: what the tables of docs/configuration.md say of each, and the keys that the completion offers. Keys and
// defaults are those of the parsers; the words are here. `npm run docs` writes both files, a test compares them.
import { ADDRESSES, EMPTY_BRIDGE, SPEAKER } from './bridge.js'
import { VNI_OPTIONS, type VniOptions } from './option.js'
import type { PORT_KEYS } from './port.js'
import { parseSystem, SYSTEM_KEYS } from './system.js'

/** What the reference says of a key, in Markdown. */
interface About {
  readonly meaning: string
  /** Missing: the parser's. */
  readonly fallback?: string
  /** Missing: the default holds. */
  readonly whenBad?: string
}

const OF_CHASSIS: Readonly<Record<typeof SYSTEM_KEYS[number], About>> = {
  'ovn-evpn-local-ip': {
    meaning: 'Source address of our tunnels: a comma list of `IP`, the default of its family, or `VNI-IP`, for one VNI. One default for ' +
      'each family, one for each VNI and family; a second one is an error',
    fallback: 'the `local` address of the VNI\'s kernel vxlan device', whenBad: 'the item is skipped'
  },
  'ovn-evpn-vxlan-ports': {
    meaning: 'Comma list of UDP ports 1..65535. For each there is one tunnel port `ovn-evpn-<port>` on the integration bridge, which the ' +
      'daemon makes, repairs and removes; other options that you set on it (`csum`, `tos`, `df_default` ...) stay. With IPv6 ' +
      'VTEPs it has `csum=true` unless you set `csum`. The first is the port of VTEPs whose kernel entry names none',
    fallback: code(parseSystem(new Map()).config.vxlanPorts), whenBad: 'the item is skipped; with none left, the default'
  },
  'ovn-bridge': {
    meaning: 'The integration bridge. It must not be ovn-controller\'s: the daemon stands off from a bridge that is',
    fallback: code(parseSystem(new Map()).config.bridge), whenBad: 'as soon as a bridge of that name exists, it is used'
  }
}

const OF_VNI: Readonly<Record<keyof VniOptions, About>> = {
  bridgeIfname: {
    meaning: 'The kernel bridge of the VNI; one device name of at most 15 characters',
    whenBad: 'the default; of several names, the first'
  },
  vxlanIfnames: {
    meaning: 'The kernel vxlan devices of the VNI, a comma list: one, or one for each address family. A device of many VNIs (`external`) ' +
      'may be named for several: each entry says whose it is; its bridge must filter by VLAN and have one for each VNI (see ' +
      '[VLAN-aware bridges](#vlan-aware-bridges))',
    whenBad: 'the name is skipped; with none left, the default'
  },
  advertiseIfname: {
    meaning: 'A kernel device in that bridge, given to the daemon alone: it writes our local addresses there for the routing daemon to ' +
      'find, and removes what else stands there',
    whenBad: 'the default; of several names, the first'
  },
  redistribute: {
    meaning: 'What is advertised: a comma list of `fdb` (MACs) and `ip` (MACs with their IPs), or `none`',
    whenBad: 'the word is skipped; with none left, the default'
  },
  fdbPreferLocal: {
    meaning: '`true`: MACs learned on local ports win over those of EVPN'
  },
  arpPreferLocal: {
    meaning: 'For an IP that is bound here and announced by EVPN too: `true` answers with the MAC bound here, `false` with the one ' +
      'announced'
  },
  fdbAgeThreshold: {
    meaning: 'Seconds 0..65535 after the last packet from it at which a MAC learned from packets is forgotten, 0 = never'
  },
  suppress: {
    meaning: 'ARP and ND of local ports for known IPs are answered in the switch ([which](semantics.md)). `false` floods them'
  },
  flood: {
    meaning: 'Broadcast, multicast and unknown MACs go to all VTEPs announced for it (`vtep`), or to none of them (`none`)'
  },
  decap: {
    meaning: 'Whose packets are taken: of a known VTEP of the VNI (`strict`), of a known VTEP of any VNI (`member`), of everybody ' +
      '(`off`)'
  },
  learn: {
    meaning: 'Remote MACs are learned from packets of known VTEPs too, for `fdb_age_threshold` seconds after the last packet from each'
  },
  snoop: {
    meaning: 'Ports with the address `unknown`: the IPs that their hosts name in ARP and Neighbor Advertisements, or get by DHCP, are ' +
      'advertised with their MACs (if `dynamic-routing-redistribute` has `ip`) and answered for (`evpn-suppress`): at most 16 of ' +
      'one MAC, 50,000 in all. They are forgotten with their MAC'
  },
  innerVlan: {
    meaning: 'Frames with an 802.1Q tag inside the VNI - of a trunk, those with a second one - are dropped (`drop`), or carried as they ' +
      'are (`carry`). With `drop` a tag of VLAN 0, which says a priority only, is taken off what an access port sends'
  },
  portSecurity: {
    meaning: 'A port may send only from its own addresses: source MAC, IPs, and what ARP and ND say of the sender. See below'
  },
  vxlanPort: {
    meaning: 'UDP port 1..65535 of VTEPs whose kernel entry names none. There must be a tunnel port for it',
    fallback: 'the first of `ovn-evpn-vxlan-ports`'
  },
  manageDevices: {
    meaning: 'The daemon makes and keeps the kernel devices of the VNI, those that do not exist. See ' +
      '[below](#devices-made-by-the-daemon)'
  },
  staleTime: {
    meaning: 'Seconds 0..86400 for which remote state outlives a routing daemon that vanished, 0 = not at all. See below'
  },
  audit: {
    meaning: 'What to do when somebody else deletes or changes a flow, group, meter, kernel row or tunnel port of ours: put it back ' +
      '(`repair`), or only say so (`report`). What belongs to no VNI follows the form for every VNI. When we connect to a switch, ' +
      'what differs is sent in either case'
  }
}

const OF_ADDRESSES: About = {
  meaning: 'Addresses without a port that this chassis advertises (virtual IPs, gateway MACs), written as for ports, without `unknown`. ' +
    'A VNI named here exists without a port',
  fallback: 'none', whenBad: 'the item is skipped'
}

const OF_SPEAKER: About = {
  meaning: 'The listening sockets by which the routing daemon is known to live, a comma list; `/var/run` is the same as `/run`. Empty: ' +
    'nobody knows, and `evpn-stale-time` is without effect',
  fallback: code(EMPTY_BRIDGE.speaker), whenBad: '-'
}

const OF_PORT: Readonly<Record<typeof PORT_KEYS[number] | 'attached-mac', About>> = {
  'dynamic-routing-vni': {
    meaning: 'The VNI 0..16777215 of the port; or, for a trunk, a comma list of `VLAN:VNI`, VLAN 0..4094, 0 for untagged frames. A VLAN ' +
      'stands in the list once, and so does a VNI',
    fallback: 'none', whenBad: 'the port is left alone; of a list, the item is skipped'
  },
  'evpn-addresses': {
    meaning: 'The addresses bound to the port: `MAC` or `MAC IP...`, several separated by commas. The word `unknown` stands for all ' +
      'others: MACs are learned from what the port sends (at most 1,024 at once) and advertised like bound ones, and frames to ' +
      'MACs nobody knows go to it. On a trunk this is for every VLAN that has no `evpn-addresses-<vlan>` of its own',
    fallback: 'none', whenBad: 'the item is skipped'
  },
  'attached-mac': {
    meaning: 'Open vSwitch\'s own convention, read like `evpn-addresses` when that is missing',
    fallback: 'none', whenBad: 'the item is skipped'
  },
  'dynamic-routing-advertise': {
    meaning: '`false`: the addresses of this port are never advertised',
    fallback: '`true`', whenBad: 'the default'
  }
}

function code(value: string | number | boolean | readonly (string | number)[]): string {
  return `\`${typeof value === 'object' ? value.join(',') : String(value)}\``
}

/** A VNI by which a default that contains it is told from one that does not. */
const SOME_VNI = 16_000_000

function optionRow(option: typeof VNI_OPTIONS[number]): string[] {
  const { meaning, fallback, whenBad } = OF_VNI[option.field]
  const value = option.fallback(SOME_VNI)
  return row(option.key, meaning, fallback ?? code(value ?? '').replaceAll(String(SOME_VNI), '<vni>'), 'both forms', whenBad)
}

function row(key: string, meaning: string, fallback: string, ...more: (string | undefined)[]): string[] {
  return [code(key), meaning, fallback, ...more.map((cell) => cell ?? 'the default')]
}

function rows(about: Readonly<Record<string, About>>): string[][] {
  return Object.entries(about).map(([key, { meaning, fallback = '', whenBad }]) => row(key, meaning, fallback, whenBad))
}

function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...body].map((cells) => `|${cells.map((cell) => cell === '---' ? cell : ` ${cell} `).join('|')}|\n`).join('')
}

const HEAD = ['Key', 'Meaning and values', 'Default'] as const

/** The tables by the beginning of the heading that each is the first one under. */
const TABLES: Readonly<Record<string, () => string>> = {
  'The chassis': () => table([...HEAD, 'When bad'], rows(OF_CHASSIS)),
  'A VNI': () => table([...HEAD, 'Per VNI', 'When bad'], [
    ...VNI_OPTIONS.map(optionRow),
    row(ADDRESSES, OF_ADDRESSES.meaning, OF_ADDRESSES.fallback ?? '', `only ${code(`${ADDRESSES}-<vni>`)}`, OF_ADDRESSES.whenBad),
    row(SPEAKER, OF_SPEAKER.meaning, OF_SPEAKER.fallback ?? '', 'no such form', OF_SPEAKER.whenBad)
  ]),
  'A workload': () => table([...HEAD, 'When bad'], rows(OF_PORT))
}

/** docs/configuration.md with its tables as they must be; the rest is as it was. */
export function withTables(page: string): string {
  return Object.entries(TABLES).reduce((text, [heading, make]) =>
    text.replace(new RegExp(`(\\n## ${heading}[^]*?\\n)(?:\\|.*\\n)+`), (_, before: string) => before + make()), page)
}

/** packaging/bash-completion with the keys that `plan` takes for the chassis and the bridge. */
export function withKeys(script: string): string {
  const keys = [...SYSTEM_KEYS, ...VNI_OPTIONS.map(({ key }) => key), SPEAKER]
  return script.replace(/(\n_ovs_evpnctl_keys\(\) \{\n)[^]*?\n\}/, (_, before: string) => `${before}    printf '%s\\n' \\\n        ${keys.join(' \\\n        ')}\n}`)
}
