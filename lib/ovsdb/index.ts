// The library's face: an OVSDB client (RFC 7047 and the extensions of ovsdb-server(7)) with a replica and transactions.
export { OvsdbClient, type OvsdbHandlers, type OvsdbOptions } from './client.js'
export { type TlsFiles } from './connection.js'
export { OvsdbError, type OvsdbErrorKind, type Refusal } from './error.js'
export { rowEquals, valueEquals } from './diff.js'
export { isUuid, ZERO_UUID, type Atom, type Row, type Value } from './notation.js'
export {
  comment, encodeValue, insert, mutate, namedUuid, remove, update, uuidRef, wait,
  type Mutation, type Mutator, type Operation, type OperationAtom, type OperationResult, type OperationRow, type OperationValue, type RowRef
} from './operations.js'
export { parseRemote, type Remote } from './remote.js'
export { Replica } from './replica.js'
export { type Wanted } from './schema.js'
export { Session, type SessionEvent } from './session.js'
export { JsonSplitter } from './splitter.js'
export { type RowChange } from './updates.js'
