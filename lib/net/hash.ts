// One small hash for names derived from content: bucket ids, parts of a flood, binding keys. Not for security.

/** FNV-1a over the characters, then a final mix (murmur3's fmix32) so that similar texts differ in the high bits too; 32 bits, unsigned. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
