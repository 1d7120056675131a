// A package registry on loopback that has the modules of this tree and nothing else: npm installs from it without a network.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { run } from '../lab/run.js'

export interface Registry {
  readonly url: string
  readonly close: () => void
}

interface Manifest { readonly name: string, readonly version: string }

/** Serves the modules that the programs of `tree` need, and those that these need; `dir` holds their archives meanwhile. */
export async function serveModules(tree: string, dir: string): Promise<Registry> {
  const { stdout } = await run(['npm', 'ls', '--omit=dev', '--all', '--parseable'], { cwd: tree, allowFailure: true })
  const modules = new Map(stdout.trim().split('\n').slice(1).map((module) => {
    const manifest = JSON.parse(readFileSync(path.join(module, 'package.json'), 'utf8')) as Manifest
    return [manifest.name, { module, manifest }]
  }))
  const archives = new Map<string, Buffer>()
  for (const [name, { module }] of modules) {
    const file = path.join(dir, 'module.tgz')
    await run(['tar', '-czf', file, '--transform=s,^\\.,package,', '-C', module, '.'])
    archives.set(name, readFileSync(file))
  }
  // https://github.com/npm/registry/blob/main/docs/responses/package-metadata.md: GET /NAME, where @SCOPE/NAME is quoted.
  const server = createServer(({ url = '' }, response) => {
    const [, name = '', isArchive] = /^\/(.*?)(\/-\/archive\.tgz)?$/.exec(decodeURIComponent(url)) ?? []
    const manifest = modules.get(name)?.manifest
    if (manifest === undefined) return response.writeHead(404).end('{}')
    if (isArchive !== undefined) return response.end(archives.get(name))
    const dist = { tarball: `${origin}/${name}/-/archive.tgz` }
    return response.end(JSON.stringify({ name, 'dist-tags': { latest: manifest.version }, versions: { [manifest.version]: { ...manifest, dist } } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { url: origin, close: () => { server.close() } }
}
