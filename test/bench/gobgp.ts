// GoBGP as a route injector: one gobgpd on a VTEP's address instead of FRR, given as many EVPN routes as asked for over its gRPC
// interface (api/gobgp.proto of GoBGP 3). Its gobgp tool takes one route per call: 100,000 would take an hour.
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, type IncomingHttpHeaders } from 'node:http2'
import { createConnection } from 'node:net'
import type { Mac } from '../../lib/net/mac.js'
import type { Vni } from '../../lib/net/number.js'
import { AS } from '../lab/frr.js'
import { checkRunning, hostTools, vtepOf } from '../lab/host.js'
import type { Lab } from '../lab/lab.js'
import { waitFor } from '../lab/wait.js'
import { floodRoute, macRoutes, uint, type Route } from './evpn-routes.js'

/** The program, and Debian's package of it. */
const PACKAGE = 'gobgpd'

export interface Gobgp {
  readonly pid: number
  /** Announces the VTEP in the VNI (route type 3), then these MACs behind it (type 2). Resolves when gobgpd has them all. */
  readonly announce: (vni: Vni, macs: readonly Mac[]) => Promise<void>
}

/** Starts gobgpd on a VTEP that runs no FRR, with a session to the other one. Throws when it is not installed. */
export async function startGobgp(lab: Lab, vtep: string, peer: string): Promise<Gobgp> {
  const tools = hostTools(lab.plan, vtep)
  const [{ ip, dir }, { ip: peerIp }] = [vtepOf(lab.plan, vtep), vtepOf(lab.plan, peer)]
  const socket = `${dir}/gobgpd.sock`
  const config = {
    global: { config: { as: AS, 'router-id': ip } },
    neighbors: [{
      config: { 'neighbor-address': peerIp, 'peer-as': AS },
      'afi-safis': [{ config: { 'afi-safi-name': 'l2vpn-evpn' } }]
    }]
  }
  writeFileSync(`${dir}/gobgpd.json`, JSON.stringify(config))
  const found = await tools.run([PACKAGE, '--version'], { allowFailure: true })
  if (found.code !== 0) throw new Error(`bench: ${PACKAGE} is not installed, and the routes come from it; run .ci/setup, or: apt-get install ${PACKAGE}`)
  const child = tools.start(PACKAGE, [PACKAGE, '-f', `${dir}/gobgpd.json`, '-t', 'json', `--api-hosts=unix://${socket}`, '--pprof-disable', '-l', 'warn'])
  await waitFor(`${PACKAGE} on ${vtep}`, async () => {
    checkRunning(tools.host, PACKAGE, child)
    const connection = createConnection(socket)
    await once(connection, 'connect')
    connection.destroy()
    return true
  })
  return {
    pid: child.pid ?? Number.NaN,
    announce: (vni, macs) => addPaths(socket, [floodRoute(ip, vni), ...macRoutes(ip, vni, macs)])
  }
}

/**
 * One call of AddPathStream with all routes in one message (gobgpd takes 256 MB): gobgpd compares each route of a message with
 * every one that it had before.
 */
async function addPaths(socket: string, routes: readonly Route[]): Promise<void> {
  const client = connect('http://localhost', { createConnection: () => createConnection(socket) })
  try {
    await new Promise<void>((resolve, reject) => {
      const finished = (headers: IncomingHttpHeaders): void => {
        if (headers['grpc-status'] === '0') resolve()
        else if (headers['grpc-status'] !== undefined) reject(new Error(`bench: ${PACKAGE} takes no routes: ${String(headers['grpc-message'])}`))
      }
      client.on('error', reject)
      const call = client.request({ ':method': 'POST', ':path': '/apipb.GobgpApi/AddPathStream', 'content-type': 'application/grpc', te: 'trailers' })
      call.on('response', finished).on('trailers', finished).on('error', reject).resume()
      call.end(framed(Buffer.concat(routes.map((route) => field(3, pathOf(route))))))
    })
  } finally {
    client.destroy()
  }
}

/** A gRPC message: not compressed, its length, itself. */
function framed(message: Buffer): Buffer {
  return Buffer.concat([uint(0, 1), uint(message.length, 4), message])
}

/** Path: family 9 (AFI 1, SAFI 2 in it: L2VPN, EVPN), nlri_binary 20, pattrs_binary 21. */
function pathOf({ nlri, attributes }: Route): Buffer {
  const family = Buffer.concat([varint(1 << 3), varint(25), varint(2 << 3), varint(70)])
  return Buffer.concat([field(9, family), field(20, nlri), ...attributes.map((one) => field(21, one))])
}

/** A protobuf field of bytes (wire type 2). */
function field(number: number, value: Buffer): Buffer {
  return Buffer.concat([varint(number << 3 | 2), varint(value.length), value])
}

function varint(value: number): Buffer {
  return value < 0x80 ? uint(value, 1) : Buffer.concat([uint(value & 0x7f | 0x80, 1), varint(value >>> 7)])
}
