// The values of a database row, as the replica holds them.
import type { Operation, OperationResult, Row } from '../../../lib/ovsdb/index.js'

export type { Operation, OperationResult, Row }
export type Value = Row[string]
export type Atom = string | number | boolean
