// libc's packet sockets (packet(7)), which Node does not have: for programs that run in a namespace and do nothing else, so that
// everything is synchronous.
import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'
import koffi, { type KoffiFunc } from 'koffi'

const AF_PACKET = 17
const SOCK_RAW = 3
const SOL_SOCKET = 1
const SO_RCVBUFFORCE = 33
/** Thousands of frames may come in at once. */
const RECEIVE_BUFFER_BYTES = 64 * 1024 * 1024
const ETH_P_ALL = 3
const PACKET_OUTGOING = 4
const SOL_PACKET = 263
const PACKET_AUXDATA = 8
const TP_STATUS_VLAN_VALID = 0x10
const MSG_DONTWAIT = 0x40
const EAGAIN = 11
const SOCKADDR_LL_BYTES = 20

const libc = koffi.load(null)
const socket = libc.func('int socket(int, int, int)') as KoffiFunc<(domain: number, type: number, protocol: number) => number>
const bind = libc.func('int bind(int, void *, uint32_t)') as KoffiFunc<(fd: number, address: Buffer, length: number) => number>
const setsockopt = libc.func('int setsockopt(int, int, int, void *, uint32_t)') as
  KoffiFunc<(fd: number, level: number, option: number, value: Buffer, length: number) => number>
const send = libc.func('long send(int, void *, size_t, int)') as KoffiFunc<(fd: number, bytes: Buffer, length: number, flags: number) => number>
const recvmsg = libc.func('long recvmsg(int, void *, int)') as KoffiFunc<(fd: number, header: Buffer, flags: number) => number>
const poll = libc.func('int poll(void *, unsigned long, int)') as KoffiFunc<(fds: Buffer, count: number, timeout: number) => number>

/** Events of poll(2). */
export const POLLIN = 1
export const POLLOUT = 4
const POLLHUP = 16

/** A packet socket on a device that sees all frames; returns its descriptor. */
export function openPacketSocket(device: string): number {
  const ifindex = Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8'))
  const fd = checked(socket(AF_PACKET, SOCK_RAW, 0), 'open a packet socket')
  forceReceiveBuffer(fd)
  const one = Buffer.alloc(4)
  setHost32(one, 1, 0)
  checked(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, one, 4), 'ask for VLAN tags')
  const address = Buffer.alloc(SOCKADDR_LL_BYTES)
  setHost16(address, AF_PACKET, 0)
  address.writeUInt16BE(ETH_P_ALL, 2)
  setHost32(address, ifindex, 4)
  checked(bind(fd, address, address.length), 'bind the packet socket')
  return fd
}

/** Gives a socket room for all that comes while nobody reads. */
export function forceReceiveBuffer(fd: number): void {
  const size = Buffer.alloc(4)
  setHost32(size, RECEIVE_BUFFER_BYTES, 0)
  checked(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4), 'set the receive buffer')
}

/** Waits for one of the events, `timeout` ms or for ever (-1). Returns for each descriptor whether it is ready or at its end. */
export function wait(events: readonly (readonly [fd: number, event: number])[], timeout = -1): boolean[] {
  const fds = Buffer.alloc(8 * events.length)
  events.forEach(([fd, event], slot) => {
    setHost32(fds, fd, 8 * slot)
    setHost16(fds, event, 8 * slot + 4)
  })
  checked(poll(fds, events.length, timeout), 'poll')
  return events.map(([, event], slot) => (host16(fds, 8 * slot + 6) & (event | POLLHUP)) !== 0)
}

export function sendFrame(fd: number, frame: Buffer): void {
  checked(send(fd, frame, frame.length, 0), 'send')
}

const IOVEC = koffi.struct({ iov_base: 'uintptr_t', iov_len: 'size_t' })
const MSGHDR = koffi.struct({
  msg_name: 'uintptr_t', msg_namelen: 'uint32_t', msg_iov: 'uintptr_t', msg_iovlen: 'size_t',
  msg_control: 'uintptr_t', msg_controllen: 'size_t', msg_flags: 'int'
})
const frame = Buffer.alloc(65536)
const sender = Buffer.alloc(SOCKADDR_LL_BYTES)
const control = Buffer.alloc(128)
const vector = Buffer.alloc(koffi.sizeof(IOVEC))
const header = Buffer.alloc(koffi.sizeof(MSGHDR))
/** Of struct tpacket_auxdata, behind its cmsghdr of 16 bytes (64-bit systems). */
const AUXDATA = { status: 16, vlanTci: 32, vlanTpid: 34 } as const

/** The next frame that came in, or undefined when there is none; what this host itself sends is not what came in. */
export function receiveFrame(fd: number): Buffer | undefined {
  for (;;) {
    koffi.encode(vector, 0, IOVEC, { iov_base: koffi.address(frame), iov_len: frame.length })
    koffi.encode(header, 0, MSGHDR, {
      msg_name: koffi.address(sender), msg_namelen: sender.length, msg_iov: koffi.address(vector), msg_iovlen: 1,
      msg_control: koffi.address(control), msg_controllen: control.length, msg_flags: 0
    })
    const length = recvmsg(fd, header, MSG_DONTWAIT)
    if (length < 0 && koffi.errno() === EAGAIN) return undefined
    checked(length, 'receive')
    if (sender.readUInt8(10) !== PACKET_OUTGOING) return Buffer.concat([frame.subarray(0, 12), tag(), frame.subarray(12, length)])
  }
}

/** The kernel takes the outer tag out of a frame before anybody sees it (packet(7), PACKET_AUXDATA): here it is again. */
function tag(): Buffer {
  if ((host16(control, AUXDATA.status) & TP_STATUS_VLAN_VALID) === 0) return Buffer.alloc(0)
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16BE(host16(control, AUXDATA.vlanTpid), 0)
  bytes.writeUInt16BE(host16(control, AUXDATA.vlanTci), 2)
  return bytes
}

function checked(result: number, what: string): number {
  if (result < 0) throw new Error(`cannot ${what}: errno ${koffi.errno()}`)
  return result
}

function host16(bytes: Buffer, at: number): number {
  return endianness() === 'LE' ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
}

function setHost16(bytes: Buffer, value: number, at: number): void {
  if (endianness() === 'LE') bytes.writeUInt16LE(value, at)
  else bytes.writeUInt16BE(value, at)
}

function setHost32(bytes: Buffer, value: number, at: number): void {
  if (endianness() === 'LE') bytes.writeUInt32LE(value, at)
  else bytes.writeUInt32BE(value, at)
}
