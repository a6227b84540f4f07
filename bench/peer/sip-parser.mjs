// The peer of bench/sip-parse.ts: npm `sip`. Not TypeScript, so that the type check needs nothing of bench/node_modules.
import sip from 'sip'

export const parse = sip.parse
