// The only native file: a NETLINK_ROUTE socket through libc, loaded with koffi.
//
// Node cannot wait for such a socket itself: libuv takes the socket's ENOBUFS for a broken descriptor. So poll(2) runs on a worker
// thread (koffi's asynchronous call, one thread of libuv's pool of four for as long as the socket is open) on the socket and an eventfd
// that wakes it; reading and writing happen on the main thread and never block.
import koffi, { type KoffiFunc } from 'koffi'
import { constants } from 'node:os'
import { readHostU32, writeHostU16, writeHostU32 } from './attribute.js'
import { AF } from './constants.js'
import { NetlinkError } from './error.js'

// Numbers of the generic Linux ABI (x86, ARM, RISC-V, POWER, s390).
const SOCK_RAW = 3
const SOCK_CLOEXEC = 0o2000000
const SOCK_NONBLOCK = 0o4000
const SOL_SOCKET = 1
const SO_RCVBUF = 8
const SO_RCVBUFFORCE = 33
const SOL_NETLINK = 270
const NETLINK_ROUTE = 0
const NETLINK_ADD_MEMBERSHIP = 1
const NETLINK_CAP_ACK = 10
const NETLINK_EXT_ACK = 11
const NETLINK_GET_STRICT_CHK = 12
const MSG_TRUNC = 0x20
const MSG_DONTWAIT = 0x40
const POLLIN = 1
const EFD_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK

/** Datagrams of one recvmmsg(2). */
const SLOTS = 16
/** The kernel fills a dump's datagram up to what the reader offers, 32 KiB at most; notifications of big devices can be larger. */
const SLOT_BYTES = 65536
const SOCKADDR_BYTES = 12
const POLLFD_BYTES = 8

const IOVEC = koffi.struct({ iov_base: 'uintptr_t', iov_len: 'size_t' })
const MSGHDR = koffi.struct({
  msg_name: 'uintptr_t', msg_namelen: 'uint32_t', msg_iov: 'uintptr_t', msg_iovlen: 'size_t',
  msg_control: 'uintptr_t', msg_controllen: 'size_t', msg_flags: 'int'
})
const MMSGHDR = koffi.struct({ msg_hdr: MSGHDR, msg_len: 'uint32_t' })

/** Called for every datagram; the bytes are valid only during the call. */
export type DatagramSink = (datagram: Buffer) => void

/** What a read came to: the queue is empty, there is more, or the kernel has dropped messages since the last read. */
export type ReadResult = 'empty' | 'more' | 'overrun'

type Libc = ReturnType<typeof loadLibc>

/** The libc this process already uses, glibc or musl. */
function loadLibc() {
  const libc = koffi.load(null)
  return {
    socket: libc.func('int socket(int, int, int)') as KoffiFunc<(domain: number, type: number, protocol: number) => number>,
    bind: libc.func('int bind(int, void *, uint32_t)') as KoffiFunc<(fd: number, address: Buffer, length: number) => number>,
    setsockopt: libc.func('int setsockopt(int, int, int, void *, uint32_t)') as
      KoffiFunc<(fd: number, level: number, option: number, value: Buffer, length: number) => number>,
    send: libc.func('long send(int, void *, size_t, int)') as
      KoffiFunc<(fd: number, bytes: Buffer, length: number, flags: number) => number>,
    recvmmsg: libc.func('int recvmmsg(int, void *, uint32_t, int, void *)') as
      KoffiFunc<(fd: number, headers: Buffer, count: number, flags: number, timeout: null) => number>,
    eventfd: libc.func('int eventfd(uint32_t, int)') as KoffiFunc<(initial: number, flags: number) => number>,
    write: libc.func('long write(int, void *, size_t)') as KoffiFunc<(fd: number, bytes: Buffer, length: number) => number>,
    poll: libc.func('int poll(void *, unsigned long, int)') as KoffiFunc<(fds: Buffer, count: number, timeout: number) => number>,
    close: libc.func('int close(int)') as KoffiFunc<(fd: number) => number>
  }
}

/** Memory for one recvmmsg: `SLOTS` headers, each with an address and a buffer. It stays where it is: the kernel knows it by address. */
class ReceiveSlots {
  readonly headers = Buffer.alloc(SLOTS * koffi.sizeof(MMSGHDR))
  readonly #names = Buffer.alloc(SLOTS * SOCKADDR_BYTES)
  readonly #data = Buffer.alloc(SLOTS * SLOT_BYTES)
  readonly #vectors = Buffer.alloc(SLOTS * koffi.sizeof(IOVEC))

  constructor() {
    const address = (buffer: Buffer, offset: number): bigint => koffi.address(buffer) + BigInt(offset)
    for (let slot = 0; slot < SLOTS; slot++) {
      const vector = slot * koffi.sizeof(IOVEC)
      koffi.encode(this.#vectors, vector, IOVEC, { iov_base: address(this.#data, slot * SLOT_BYTES), iov_len: SLOT_BYTES })
      const msg_hdr = {
        msg_name: address(this.#names, slot * SOCKADDR_BYTES), msg_namelen: SOCKADDR_BYTES,
        msg_iov: address(this.#vectors, vector), msg_iovlen: 1, msg_control: 0, msg_controllen: 0, msg_flags: 0
      }
      koffi.encode(this.headers, slot * koffi.sizeof(MMSGHDR), MMSGHDR, { msg_hdr, msg_len: 0 })
    }
  }

  /** The slot's datagram, undefined when it was cut short. Empty when it came from another process: only port 0 is the kernel. */
  datagram(slot: number): Buffer | undefined {
    const header = slot * koffi.sizeof(MMSGHDR)
    if ((readHostU32(this.headers, header + koffi.offsetof(MSGHDR, 'msg_flags')) & MSG_TRUNC) !== 0) return undefined
    const sender = readHostU32(this.#names, slot * SOCKADDR_BYTES + 4)
    const length = sender === 0 ? readHostU32(this.headers, header + koffi.offsetof(MMSGHDR, 'msg_len')) : 0
    return this.#data.subarray(slot * SLOT_BYTES, slot * SLOT_BYTES + length)
  }
}

/** A NETLINK_ROUTE socket in the network namespace of the thread that opens it. */
export class NetlinkSocket {
  readonly #libc: Libc
  readonly #fd: number
  readonly #wakeFd: number
  readonly #slots = new ReceiveSlots()
  readonly #pollFds = Buffer.alloc(2 * POLLFD_BYTES)
  #waiting = false
  #closed = false
  // At exit Node joins its worker threads, and would wait for ever for one in poll(2).
  readonly #atExit = (): void => this.#wake()

  /**
   * Opens a socket that receives the given multicast groups (RTNLGRP_* numbers). Throws NetlinkError.
   * The receive buffer is set past net.core.rmem_max with CAP_NET_ADMIN, else up to it.
   */
  static open(groups: readonly number[], receiveBufferBytes: number): NetlinkSocket {
    const libc = loadLibc()
    const fd = checked(libc.socket(AF.NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE), 'open a netlink socket')
    try {
      return new NetlinkSocket(libc, fd, groups, receiveBufferBytes)
    } catch (error) {
      libc.close(fd)
      throw error
    }
  }

  private constructor(libc: Libc, fd: number, groups: readonly number[], receiveBufferBytes: number) {
    this.#libc = libc
    this.#fd = fd
    const set = (level: number, option: number, value: number): number => libc.setsockopt(fd, level, option, hostInt(value), 4)
    if (set(SOL_SOCKET, SO_RCVBUFFORCE, receiveBufferBytes) !== 0) set(SOL_SOCKET, SO_RCVBUF, receiveBufferBytes)
    // Short acknowledgements with the kernel's words; kernels before 4.12, 4.3 and 4.20 do without.
    for (const option of [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK]) set(SOL_NETLINK, option, 1)
    const address = Buffer.alloc(SOCKADDR_BYTES)
    writeHostU16(address, AF.NETLINK, 0)
    checked(libc.bind(fd, address, SOCKADDR_BYTES), 'bind the netlink socket')
    for (const group of groups) checked(set(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group), `join netlink group ${group}`)
    this.#wakeFd = checked(libc.eventfd(0, EFD_FLAGS), 'make an eventfd')
    for (const [index, descriptor] of [fd, this.#wakeFd].entries()) {
      writeHostU32(this.#pollFds, descriptor, index * POLLFD_BYTES)
      writeHostU16(this.#pollFds, POLLIN, index * POLLFD_BYTES + 4)
    }
    process.on('exit', this.#atExit)
  }

  /** Calls back once, when there is something to read or the socket was closed. Not to be called again before that. */
  wait(ready: (error: Error | undefined) => void): void {
    this.#waiting = true
    this.#libc.poll.async(this.#pollFds, 2, -1, (error: unknown, count) => {
      this.#waiting = false
      const code = count < 0 ? koffi.errno() : 0
      if (this.#closed) this.#release()
      if (error instanceof Error) ready(error)
      else if (code !== 0 && code !== constants.errno.EINTR) ready(new NetlinkError({ request: 'wait for netlink', errno: code }))
      else ready(undefined)
    })
  }

  /** Hands one batch of datagrams to `sink`, without waiting. Throws NetlinkError when the socket is broken. */
  read(sink: DatagramSink): ReadResult {
    const count = this.#libc.recvmmsg(this.#fd, this.#slots.headers, SLOTS, MSG_DONTWAIT, null)
    if (count < 0) return readFailed(koffi.errno())
    let truncated = false
    for (let slot = 0; slot < count; slot++) {
      const datagram = this.#slots.datagram(slot)
      if (datagram === undefined) truncated = true
      else sink(datagram)
    }
    return truncated ? 'overrun' : 'more'
  }

  /** Sends one datagram to the kernel, which has acted on it when this returns. Throws NetlinkError. */
  send(bytes: Buffer): void {
    checked(this.#libc.send(this.#fd, bytes, bytes.length, 0), 'send to netlink')
  }

  /** Ends a wait, and closes as soon as no thread uses the descriptors any more. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    process.off('exit', this.#atExit)
    if (this.#waiting) this.#wake()
    else this.#release()
  }

  #wake(): void {
    this.#libc.write(this.#wakeFd, Buffer.alloc(8, 1), 8)
  }

  #release(): void {
    this.#libc.close(this.#fd)
    this.#libc.close(this.#wakeFd)
  }
}

function readFailed(errno: number): ReadResult {
  const { EAGAIN, EINTR, ENOBUFS } = constants.errno
  if (errno === EAGAIN) return 'empty'
  if (errno === EINTR) return 'more'
  if (errno === ENOBUFS) return 'overrun'
  throw new NetlinkError({ request: 'read from netlink', errno })
}

function checked(result: number, request: string): number {
  if (result < 0) throw new NetlinkError({ request, errno: koffi.errno() })
  return result
}

function hostInt(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  writeHostU32(bytes, value, 0)
  return bytes
}
