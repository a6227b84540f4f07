export { makeEndpoint, openSipEndpoint } from './endpoint.ts'
export {
  formatMessage,
  header,
  headerValues,
  parseMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from './message.ts'
export type * from './types.ts'
