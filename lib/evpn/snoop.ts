// What a packet of a workload says of who has which IP: ARP, Neighbor Advertisements, DHCP acknowledgements. The packet
// may be anything, whatever flow sent it here: each length and field is looked at before it is believed.
import { ipFamily, ipFromBytes, isLinkLocalIp, isMulticastIp, isUnspecifiedIp, type Ip } from '../net/ip.js'
import { isMulticastMac, macFromBytes, ZERO_MAC, type Mac } from '../net/mac.js'

export interface Snooped {
  readonly mac: Mac
  readonly ip: Ip
  /** Who says so: the host of itself, or a DHCP server of its client. */
  readonly by: 'host' | 'server'
}

const [ETHERNET, TYPE] = [14, 12]
const [ETH_ARP, ETH_IPV4, ETH_IPV6] = [0x0806, 0x0800, 0x86dd]
const [UDP, ICMPV6] = [17, 58]

/** What an untagged Ethernet frame says; undefined = nothing that can be published. */
export function snoop(frame: Buffer): Snooped | undefined {
  const said = read(frame)
  return said !== undefined && !isMulticastMac(said.mac) && said.mac !== ZERO_MAC && isOfHost(said.ip) ? said : undefined
}

function read(frame: Buffer): Snooped | undefined {
  if (frame.length < ETHERNET) return undefined
  const payload = frame.subarray(ETHERNET)
  switch (frame.readUInt16BE(TYPE)) {
    case ETH_ARP: return fromArp(payload, macFromBytes(frame, 6))
    case ETH_IPV6: return fromAdvertisement(payload, macFromBytes(frame, 6))
    case ETH_IPV4: return fromDhcp(payload)
    default: return undefined
  }
}

/** Requests and replies alike name their sender (RFC 826); one that names another than the frame's is somebody's proxy. */
function fromArp(arp: Buffer, source: Mac): Snooped | undefined {
  // Ethernet and IPv4, and the lengths of their addresses.
  if (arp.length < 28 || arp.readUInt32BE(0) !== 0x00010800 || arp.readUInt16BE(4) !== 0x0604) return undefined
  const op = arp.readUInt16BE(6)
  if ((op !== 1 && op !== 2) || macFromBytes(arp, 8) !== source) return undefined
  return { mac: source, ip: ipFromBytes(arp.subarray(14, 18)), by: 'host' }
}

/** RFC 4861 section 4.4 and 7.1.2: hop limit 255, so that no router passed it; the target's address is the sender's or not told. */
function fromAdvertisement(packet: Buffer, source: Mac): Snooped | undefined {
  if (packet.length < 64 || packet.readUInt8(0) >> 4 !== 6 || packet.readUInt8(6) !== ICMPV6 || packet.readUInt8(7) !== 255) return undefined
  const icmp = packet.subarray(40, 40 + packet.readUInt16BE(4))
  if (icmp.length < 24 || icmp.readUInt8(0) !== 136 || icmp.readUInt8(1) !== 0) return undefined
  const lladdr = targetLinkLayer(icmp.subarray(24))
  if (lladdr !== undefined && lladdr !== source) return undefined
  return { mac: source, ip: ipFromBytes(icmp.subarray(8, 24)), by: 'host' }
}

/** Option 2 (RFC 4861 section 4.6.1); undefined when there is none. */
function targetLinkLayer(options: Buffer): Mac | undefined {
  for (let at = 0; at + 8 <= options.length;) {
    const length = options.readUInt8(at + 1) * 8
    if (length === 0) return undefined
    if (options.readUInt8(at) === 2) return macFromBytes(options, at + 2)
    at += length
  }
  return undefined
}

const [BOOTREPLY, COOKIE, OPTIONS] = [2, 0x63825363, 240]
const [OPTION_PAD, OPTION_TYPE, OPTION_END] = [0, 53, 255]
const DHCPACK = 5

/** A server's acknowledgement: the client (chaddr) has its address (yiaddr) now (RFC 2131 sections 2 and 3.1). */
function fromDhcp(packet: Buffer): Snooped | undefined {
  if (packet.length < 28 || packet.readUInt8(0) >> 4 !== 4 || packet.readUInt8(9) !== UDP) return undefined
  // No part of a fragmented one.
  if ((packet.readUInt16BE(6) & 0x3fff) !== 0) return undefined
  const udp = packet.subarray(4 * (packet.readUInt8(0) & 15))
  if (udp.length < 8 + OPTIONS || udp.readUInt16BE(0) !== 67 || udp.readUInt16BE(2) !== 68) return undefined
  const dhcp = udp.subarray(8)
  if (dhcp.readUInt8(0) !== BOOTREPLY || dhcp.readUInt16BE(1) !== 0x0106 || dhcp.readUInt32BE(236) !== COOKIE) return undefined
  if (messageType(dhcp.subarray(OPTIONS)) !== DHCPACK) return undefined
  return { mac: macFromBytes(dhcp, 28), ip: ipFromBytes(dhcp.subarray(16, 20)), by: 'server' }
}

function messageType(options: Buffer): number | undefined {
  for (let at = 0; at < options.length;) {
    const code = options.readUInt8(at)
    if (code === OPTION_END) return undefined
    if (code === OPTION_PAD) {
      at++
      continue
    }
    if (at + 2 >= options.length) return undefined
    if (code === OPTION_TYPE) return options.readUInt8(at + 2)
    at += 2 + options.readUInt8(at + 1)
  }
  return undefined
}

const [LOOPBACK, FIRST_RESERVED] = [127, 240]

/** An address that a host can have and others can be told of; an ARP probe's sender, 0.0.0.0, is none. */
function isOfHost(ip: Ip): boolean {
  if (isMulticastIp(ip) || isUnspecifiedIp(ip) || ip === '::1') return false
  if (ipFamily(ip) === 6) return !isLinkLocalIp(ip)
  const first = Number(ip.slice(0, ip.indexOf('.')))
  return first !== LOOPBACK && first < FIRST_RESERVED
}
