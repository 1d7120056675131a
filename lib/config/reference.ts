// The reference of all keys: what the tables of docs/configuration.md say of each, and the keys that the completion offers. Keys,
// defaults, values and what becomes of bad ones are those of the parsers; the words are here. `npm run docs` writes both files, a test compares them.
import { ADDRESSES, EMPTY_BRIDGE, SPEAKER } from './bridge.js'
import { rangeText, UDP_PORTS, VNIS } from '../net/number.js'
import { BOOLEAN, VNI_OPTIONS, type VniOptions, type WhenBad } from './option.js'
import { VLANS, type PORT_KEYS, type VLAN_ADDRESSES } from './port.js'
import { parseSystem, SYSTEM_KEYS } from './system.js'

/** What the reference says of a key, in Markdown. */
interface About {
  readonly meaning: string
  /** Missing: the parser's. */
  readonly fallback?: string
}

/** Of a key that is in no table of options: its values and what becomes of bad ones, too. */
interface Whole extends Required<About> {
  readonly values: string
  readonly whenBad: string
}

const WHEN_BAD: Readonly<Record<WhenBad, string>> = {
  default: 'the default', first: 'the default; of several, the first', skip: 'the item is skipped; with none left, the default'
}

const OF_CHASSIS: Readonly<Record<typeof SYSTEM_KEYS[number], Whole>> = {
  'ovn-evpn-local-ip': {
    values: `a comma list of \`IP\` and \`VNI-IP\`, VNI ${rangeText(VNIS)}`,
    meaning: 'Source address of our tunnels: `IP` is the default of its family, `VNI-IP` that of one VNI. One default for each family, one for ' +
      'each VNI and family; a second one is an error',
    fallback: 'the `local` address of the VNI\'s kernel vxlan device', whenBad: 'the item is skipped'
  },
  'ovn-evpn-vxlan-ports': {
    values: `a comma list of UDP ports ${rangeText(UDP_PORTS)}`,
    meaning: 'For each there is one tunnel port `ovn-evpn-<port>` on the integration bridge, which the ' +
      'daemon makes, repairs and removes; other options that you set on it (`csum`, `tos`, `df_default` ...) stay. With IPv6 ' +
      'VTEPs it has `csum=true` unless you set `csum`. The first is the port of VTEPs whose kernel entry names none',
    fallback: code(parseSystem(new Map()).config.vxlanPorts), whenBad: WHEN_BAD.skip
  },
  'ovn-bridge': {
    values: 'a name',
    meaning: 'The integration bridge. It must not be ovn-controller\'s: the daemon stands off from a bridge that is',
    fallback: code(parseSystem(new Map()).config.bridge), whenBad: 'as soon as a bridge of that name exists, it is used'
  }
}

const OF_VNI: Readonly<Record<keyof VniOptions, About>> = {
  bridgeIfname: { meaning: 'The kernel bridge of the VNI' },
  vxlanIfnames: {
    meaning: 'The kernel vxlan devices of the VNI: one, or one for each address family. A device of many VNIs (`external`) ' +
      'may be named for several: each entry says whose it is; its bridge must filter by VLAN and have one for each VNI (see ' +
      '[VLAN-aware bridges](#vlan-aware-bridges))'
  },
  advertiseIfname: {
    meaning: 'A kernel device in that bridge, given to the daemon alone: it writes our local addresses there for the routing daemon to ' +
      'find, and removes what else stands there'
  },
  redistribute: { meaning: 'What is advertised: MACs (`fdb`), MACs with their IPs (`ip`)' },
  fdbPreferLocal: { meaning: '`true`: MACs learned on local ports win over those of EVPN' },
  arpPreferLocal: {
    meaning: 'For an IP that is bound here and announced by EVPN too: `true` answers with the MAC bound here, `false` with the one ' +
      'announced'
  },
  fdbAgeThreshold: { meaning: 'How long after the last packet from it a MAC learned from packets is forgotten, 0 = never' },
  suppress: { meaning: 'ARP and ND of local ports for known IPs are answered in the switch ([which](semantics.md)). `false` floods them' },
  flood: { meaning: 'Broadcast, multicast and unknown MACs go to all VTEPs announced for it (`vtep`), or to none of them (`none`)' },
  decap: {
    meaning: 'Whose packets are taken: of a known VTEP of the VNI (`strict`), of a known VTEP of any VNI (`member`), of everybody ' +
      '(`off`)'
  },
  learn: { meaning: 'Remote MACs are learned from packets of known VTEPs too, for `fdb_age_threshold` seconds after the last packet from each' },
  snoop: {
    meaning: 'Ports with the address `unknown`: the IPs that their hosts name in ARP and Neighbor Advertisements, or get by DHCP, are ' +
      'advertised with their MACs (if `dynamic-routing-redistribute` has `ip`) and answered for (`evpn-suppress`): at most 16 of ' +
      'one MAC, 50,000 in all. They are forgotten with their MAC'
  },
  innerVlan: {
    meaning: 'Frames with an 802.1Q tag inside the VNI - of a trunk, those with a second one - are dropped (`drop`), or carried as they ' +
      'are (`carry`). With `drop` a tag of VLAN 0, which says a priority only, is taken off what an access port sends'
  },
  portSecurity: { meaning: 'A port may send only from its own addresses: source MAC, IPs, and what ARP and ND say of the sender. See below' },
  vxlanPort: {
    meaning: 'The port of VTEPs whose kernel entry names none. There must be a tunnel port for it',
    fallback: 'the first of `ovn-evpn-vxlan-ports`'
  },
  manageDevices: {
    meaning: 'The daemon makes and keeps the kernel devices of the VNI, those that do not exist. See ' +
      '[below](#devices-made-by-the-daemon)'
  },
  staleTime: { meaning: 'How long remote state outlives a routing daemon that vanished, 0 = not at all. See below' },
  audit: {
    meaning: 'What to do when somebody else deletes or changes a flow, group, meter, kernel row or tunnel port of ours: put it back ' +
      '(`repair`), or only say so (`report`). What belongs to no VNI follows the form for every VNI. When we connect to a switch, ' +
      'what differs is sent in either case'
  }
}

const BOUND = 'a comma list of `MAC` and `MAC IP...`'

const OF_ADDRESSES: Whole = {
  values: BOUND,
  meaning: 'Addresses without a port that this chassis advertises (virtual IPs, gateway MACs). A VNI named here exists without a port',
  fallback: 'none', whenBad: 'the item is skipped'
}

const OF_SPEAKER: Whole = {
  values: 'a comma list of paths',
  meaning: 'The listening sockets by which the routing daemon is known to live; `/var/run` is the same as `/run`. Empty: ' +
    'nobody knows, and `evpn-stale-time` is without effect',
  fallback: code(EMPTY_BRIDGE.speaker), whenBad: '-'
}

const OF_PORT: Readonly<Record<typeof PORT_KEYS[number] | typeof VLAN_ADDRESSES | 'attached-mac', Whole>> = {
  'dynamic-routing-vni': {
    values: `a VNI ${rangeText(VNIS)}; or a comma list of \`VLAN:VNI\`, VLAN ${rangeText(VLANS)}`,
    meaning: 'The VNI of the port; or, for a trunk, of each VLAN, 0 for untagged frames. A VLAN stands in the list once, and so does a VNI',
    fallback: 'none', whenBad: 'the port is left alone; of a list, the item is skipped'
  },
  'evpn-addresses': {
    values: `${BOUND}, and \`unknown\``,
    meaning: 'The addresses bound to the port. `unknown` stands for all ' +
      'others: MACs are learned from what the port sends (at most 1,024 at once) and advertised like bound ones, and frames to ' +
      'MACs nobody knows go to it',
    fallback: 'none', whenBad: 'the item is skipped'
  },
  'evpn-addresses-<vlan>': {
    values: 'like `evpn-addresses`', meaning: 'On a trunk: the addresses in that VLAN of its list, which `evpn-addresses` is not for then',
    fallback: '`evpn-addresses`', whenBad: 'the item is skipped'
  },
  'attached-mac': {
    values: 'like `evpn-addresses`', meaning: 'Open vSwitch\'s own convention, read when `evpn-addresses` is missing',
    fallback: 'none', whenBad: 'the item is skipped'
  },
  'dynamic-routing-advertise': {
    values: BOOLEAN.about, meaning: '`false`: the addresses of this port are never advertised', fallback: '`true`', whenBad: 'the default'
  }
}

function code(value: string | number | boolean | readonly (string | number)[]): string {
  return `\`${typeof value === 'object' ? value.join(',') : String(value)}\``
}

/** A VNI by which a default that contains it is told from one that does not. */
const SOME_VNI = 16_000_000

function optionRow({ key, field, values, fallback }: typeof VNI_OPTIONS[number]): string[] {
  const about = OF_VNI[field]
  const byDefault = about.fallback ?? code(fallback(SOME_VNI) ?? '').replaceAll(String(SOME_VNI), '<vni>')
  return [code(key), values.about, about.meaning, byDefault, 'both forms', WHEN_BAD[values.whenBad]]
}

/** A row with the cells that stand between the default and what becomes of bad values. */
function row(key: string, { values, meaning, fallback, whenBad }: Whole, ...cells: string[]): string[] {
  return [code(key), values, meaning, fallback, ...cells, whenBad]
}

function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...body].map((cells) => `|${cells.map((cell) => cell === '---' ? cell : ` ${cell} `).join('|')}|\n`).join('')
}

const HEAD = ['Key', 'Values', 'Meaning', 'Default'] as const

/** The tables by the beginning of the heading that each is the first one under. */
const TABLES: Readonly<Record<string, () => string>> = {
  'The chassis': () => table([...HEAD, 'When bad'], Object.entries(OF_CHASSIS).map(([key, about]) => row(key, about))),
  'A VNI': () => table([...HEAD, 'Per VNI', 'When bad'], [
    ...VNI_OPTIONS.map(optionRow), row(ADDRESSES, OF_ADDRESSES, `only ${code(`${ADDRESSES}-<vni>`)}`), row(SPEAKER, OF_SPEAKER, 'no such form')
  ]),
  'A workload': () => table([...HEAD, 'When bad'], Object.entries(OF_PORT).map(([key, about]) => row(key, about)))
}

/** docs/configuration.md with its tables as they must be; the rest is as it was. */
export function withTables(page: string): string {
  return Object.entries(TABLES).reduce((text, [heading, make]) =>
    text.replace(new RegExp(`(\\n## ${heading}[^]*?\\n)(?:\\|.*\\n)+`), (_, before: string) => before + make()), page)
}

/** The keys that `plan` takes; what has a number at its end is completed up to there. */
const KEYS = {
  _ovs_evpnctl_keys: [...SYSTEM_KEYS, ...VNI_OPTIONS.map(({ key }) => key), `${ADDRESSES}-`, SPEAKER],
  _ovs_evpnctl_port_keys: Object.keys(OF_PORT).map((key) => key.replace(/<.*/, ''))
} as const

/** packaging/bash-completion with the keys that `plan` takes for the chassis, the bridge and a port. */
export function withKeys(script: string): string {
  return Object.entries(KEYS).reduce((text, [name, keys]) =>
    text.replace(new RegExp(`(\\n${name}\\(\\) \\{\\n)[^]*?\\n\\}`), (_, before: string) => `${before}    printf '%s\\n' \\\n        ${keys.join(' \\\n        ')}\n}`), script)
}
