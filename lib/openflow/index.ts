// OpenFlow 1.5 with Nicira's extensions, as Open vSwitch speaks it: codec, session, client. Knows nothing of EVPN.
export type { Action, ControllerAction, LearnAction, LearnSource, LearnSpec, Subfield } from './action.js'
export { decodeActions } from './action-decode.js'
export { encodeAction, encodeActions } from './action-encode.js'
export { formatActions, formatInstructions } from './action-text.js'
export { OpenFlowClient, type OpenFlowClientOptions, type OpenFlowHandlers } from './client.js'
export { OpenFlowDecodeError } from './decode.js'
export type { SwitchError } from './errors.js'
export type { FieldName } from './fields.js'
export {
  decodeFlowDescs, decodeFlowMod, encodeFlowDesc, encodeFlowMod,
  type FlowCommand, type FlowDesc, type FlowFilter, type FlowMod
} from './flow.js'
export { decodeFlowUpdates, type FlowChange, type FlowMonitor, type FlowUpdate } from './flow-monitor.js'
export { decodeFlowStats, type FlowStats } from './flow-stats.js'
export {
  ALL_GROUPS, bucketSize, decodeBuckets, decodeGroupDescs, decodeGroupMod, encodeBucket, encodeGroupDesc, encodeGroupMod, groupDescSize,
  type Bucket, type GroupCommand, type GroupDesc, type GroupMod, type GroupType, type Selection
} from './group.js'
export { decodeGroupStats, type GroupStats } from './group-stats.js'
export type { Features } from './handshake.js'
export { decodeInstructions, encodeInstructions, type Instruction } from './instruction.js'
export { canonicalOxms, decodeMatch, encodeMatch, type Match } from './match.js'
export { formatMatch } from './match-text.js'
export { decodeMessage, type Message } from './message.js'
export { ALL_METERS, decodeMeterFeatures, decodeMeterMod, decodeMeters, encodeMeterMod, type Meter, type MeterFeatures, type MeterMod } from './meter.js'
export { decodePacketIn, encodePacketIn, type PacketIn } from './packet-in.js'
export {
  decodePortDescs, decodePortStatus, encodePortDesc, RESERVED_PORTS,
  type Port, type PortDesc, type PortStatusReason, type ReservedPort
} from './port.js'
export type { RequestForward } from './request-forward.js'
export { OpenFlowSession, type SessionEvent } from './session.js'
export { decodeTableStats, type TableStats } from './table-stats.js'
export type { ApplyError, ApplyResult } from './transaction.js'
export type { FieldValue } from './value.js'
