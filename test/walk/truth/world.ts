// What the truth is computed from: a chassis made of fakes, or what the tools of a real one show.
import type { FakeKernel } from '../kernel/kernel.js'
import type { FakeDatabase } from '../ovsdb/database.js'
import type { Tables } from '../switch/tables.js'

export interface Bridge {
  readonly ports: ReadonlyMap<string, { readonly port: number }>
  readonly tables: Tables
}

export interface Things {
  readonly kernel: FakeKernel
  readonly database: FakeDatabase
  readonly vswitchd: { readonly switches: ReadonlyMap<string, Bridge> }
}
