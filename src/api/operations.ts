import { createApiKey } from './create-api-key.ts'
import { createApiKey2015 } from './create-api-key-2015.ts'
import { createApiKey2018 } from './create-api-key-2018.ts'
import { createApplication } from './create-application.ts'
import { createMessageTemplate } from './create-message-template.ts'
import { createSession } from './create-session.ts'
import { createToken } from './create-token.ts'
import { deleteSession } from './delete-session.ts'
import { getApplication } from './get-application.ts'
import { getApplications } from './get-applications.ts'
import { getBalance } from './get-balance.ts'
import { getCall } from './get-call.ts'
import { getCallsOfPin } from './get-calls-of-pin.ts'
import { getEvents } from './get-events.ts'
import { getMessageTemplate } from './get-message-template.ts'
import { getMessageTemplates } from './get-message-templates.ts'
import { getPinStatus } from './get-pin-status.ts'
import { getVerifications } from './get-verifications.ts'
import { health } from './health.ts'
import { metrics } from './metrics.ts'
import { resendPinOverSms } from './resend-pin-over-sms.ts'
import { resendPinOverVoice } from './resend-pin-over-voice.ts'
import { sendPinOverSms } from './send-pin-over-sms.ts'
import { sendPinOverVoice } from './send-pin-over-voice.ts'
import type { Api, Wire } from './types.ts'
import { updateApplication } from './update-application.ts'
import { updateMessageTemplate } from './update-message-template.ts'
import { verifyPin } from './verify-pin.ts'

/** Everything the wire can be asked, in the order in which /docs shows it. */
export const OPERATIONS: readonly ((api: Api, wire: Wire) => void)[] = [
  resendPinOverVoice,
  sendPinOverSms,
  sendPinOverVoice,
  resendPinOverSms,
  verifyPin,
  getPinStatus,
  getVerifications,
  createApplication,
  getApplications,
  getApplication,
  updateApplication,
  createMessageTemplate,
  getMessageTemplates,
  getMessageTemplate,
  updateMessageTemplate,
  createApiKey,
  createApiKey2018,
  createApiKey2015,
  createSession,
  deleteSession,
  createToken,
  getCall,
  getCallsOfPin,
  getEvents,
  getBalance,
  health,
  metrics,
]
