// One interface at the level of frames, as a program to run in a network namespace: `wire-program DEVICE`. A line of hex on
// standard input is sent as it stands; a frame that comes in is a line of hex on standard output. First line: `ready`.
// Node has no packet sockets, so they are libc's (packet(7)); everything is synchronous, because nothing else happens here.
import { readFileSync, readSync, writeSync } from 'node:fs'
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
const POLLIN = 1
const POLLOUT = 4
const POLLHUP = 16
const SOCKADDR_LL_BYTES = 20

const libc = koffi.load(null)
const socket = libc.func('int socket(int, int, int)') as KoffiFunc<(domain: number, type: number, protocol: number) => number>
const bind = libc.func('int bind(int, void *, uint32_t)') as KoffiFunc<(fd: number, address: Buffer, length: number) => number>
const setsockopt = libc.func('int setsockopt(int, int, int, void *, uint32_t)') as
  KoffiFunc<(fd: number, level: number, option: number, value: Buffer, length: number) => number>
const send = libc.func('long send(int, void *, size_t, int)') as KoffiFunc<(fd: number, bytes: Buffer, length: number, flags: number) => number>
const recvmsg = libc.func('long recvmsg(int, void *, int)') as KoffiFunc<(fd: number, header: Buffer, flags: number) => number>
const poll = libc.func('int poll(void *, unsigned long, int)') as KoffiFunc<(fds: Buffer, count: number, timeout: number) => number>

function main(device: string): void {
  const fd = open(Number(readFileSync(`/sys/class/net/${device}/ifindex`, 'utf8')))
  const fds = Buffer.alloc(16)
  const isReady = (slot: number): boolean => (host16(fds, 8 * slot + 6) & (POLLIN | POLLHUP)) !== 0
  const sendLines = senderOf(fd)
  print('ready\n')
  for (;;) {
    setHost32(fds, 0, 0)
    setHost32(fds, fd, 8)
    for (const slot of [0, 1]) setHost16(fds, POLLIN, 8 * slot + 4)
    if (checked(poll(fds, 2, -1), 'poll') === 0) continue
    if (isReady(1)) receive(fd)
    if (isReady(0) && !sendLines()) return
  }
}

function open(ifindex: number): number {
  const fd = checked(socket(AF_PACKET, SOCK_RAW, 0), 'open a packet socket')
  const size = Buffer.alloc(4)
  setHost32(size, RECEIVE_BUFFER_BYTES, 0)
  checked(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, 4), 'set the receive buffer')
  setHost32(size, 1, 0)
  checked(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, size, 4), 'ask for VLAN tags')
  const address = Buffer.alloc(SOCKADDR_LL_BYTES)
  setHost16(address, AF_PACKET, 0)
  address.writeUInt16BE(ETH_P_ALL, 2)
  setHost32(address, ifindex, 4)
  checked(bind(fd, address, address.length), 'bind the packet socket')
  return fd
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

function receive(fd: number): void {
  koffi.encode(vector, 0, IOVEC, { iov_base: koffi.address(frame), iov_len: frame.length })
  koffi.encode(header, 0, MSGHDR, {
    msg_name: koffi.address(sender), msg_namelen: sender.length, msg_iov: koffi.address(vector), msg_iovlen: 1,
    msg_control: koffi.address(control), msg_controllen: control.length, msg_flags: 0
  })
  const length = checked(recvmsg(fd, header, 0), 'receive')
  // What this host itself sends is not what came in.
  if (sender.readUInt8(10) === PACKET_OUTGOING) return
  print(frame.toString('hex', 0, 12) + tagOf() + frame.toString('hex', 12, length) + '\n')
}

/** The kernel takes the outer tag out of a frame before anybody sees it (packet(7), PACKET_AUXDATA): here it is again. */
function tagOf(): string {
  if ((host16(control, AUXDATA.status) & TP_STATUS_VLAN_VALID) === 0) return ''
  const tag = Buffer.alloc(4)
  tag.writeUInt16BE(host16(control, AUXDATA.vlanTpid), 0)
  tag.writeUInt16BE(host16(control, AUXDATA.vlanTci), 2)
  return tag.toString('hex')
}

/** Writes all of the text: standard output may be a pipe that does not block. */
function print(text: string): void {
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(1, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      const fds = Buffer.alloc(8)
      setHost32(fds, 1, 0)
      setHost16(fds, POLLOUT, 4)
      checked(poll(fds, 1, -1), 'poll')
    }
  }
}

/** Returns what reads standard input and sends its whole lines; false at its end. */
function senderOf(fd: number): () => boolean {
  const chunk = Buffer.alloc(65536)
  let rest = ''
  return () => {
    const length = readSync(0, chunk)
    const lines = (rest + chunk.toString('latin1', 0, length)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const frame = Buffer.from(line, 'hex')
      checked(send(fd, frame, frame.length, 0), 'send')
    }
    return length > 0
  }
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

main(process.argv[2] ?? 'eth0')
