import { type Static, Type } from 'typebox'
import { LANGUAGES, parseLanguage } from '../language.ts'
import { PIN_TYPES, type PinType, type Template } from '../store/types.ts'
import type { NewTemplate } from '../verification/types.ts'
import type { Problems } from './problems.ts'
import { answers, named, Text } from './schemas.ts'

/** A message template on the wire (contract §1.5): one for SMS and voice, its fields the sum of all years. */

const IndiaDlt = Type.Object({
  contentTemplateId: Type.Optional(Type.String({ maxLength: 30 })),
  principalEntityId: Type.String({ minLength: 1, maxLength: 30 }),
  teleMarketerId: Type.Optional(Type.String({ maxLength: 255 })),
})
const Regional = Type.Object({ indiaDlt: Type.Optional(IndiaDlt) })
/** The same as it is answered: every key optional keeps the serialiser from changing their order. */
const RegionalAnswer = Type.Object({ indiaDlt: Type.Optional(Type.Partial(IndiaDlt)) })

const pinType = Type.Unsafe<PinType | 'HEXA'>({
  type: 'string',
  enum: [...PIN_TYPES, 'HEXA'],
  description: 'HEXA is an old name of HEX.',
})
const messageText = Type.String({
  minLength: 1,
  maxLength: 4000,
  description: 'Contains the placeholder of the PIN, and `{{name}}` for each further one.',
  examples: ['Your code is {{pin}}.'],
})
const pinLength = Type.Integer({ minimum: 1, maximum: 8, description: 'Default 4.', examples: [6] })
const optional = {
  pinPlaceholder: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 50,
      description: 'What stands for the PIN in the text; `{{pin}}` unless said otherwise.',
    }),
  ),
  sender: Type.Optional(Type.String({ maxLength: 50, description: 'The older name of senderId.' })),
  senderId: Type.Optional(Type.String({ maxLength: 50, examples: ['Infobip 2FA'] })),
  language: Type.Optional(
    Type.String({ description: `One of ${LANGUAGES.join(' ')}; \`pt-br\` is read too.`, examples: ['en'] }),
  ),
  voiceName: Type.Optional(Type.String({ maxLength: 50, examples: ['Joanna'] })),
  repeatDTMF: Type.Optional(
    Text({
      pattern: '^[0-9*#]{1,12}$',
      wants: 'must be 1 to 12 keys of a telephone: digits, * and #, such as 1#',
      description: 'Keys that play the PIN again.',
      examples: ['1#'],
    }),
  ),
  speechRate: Type.Optional(Type.Number({ minimum: 0.5, maximum: 2, examples: [1] })),
  regional: Type.Optional(Regional),
}
const examples = [
  {
    pinType: 'NUMERIC',
    messageText: 'Hello {{firstName}}, your code is {{pin}}.',
    pinLength: 6,
    language: 'en',
    senderId: 'Infobip 2FA',
    repeatDTMF: '1#',
    speechRate: 1,
  },
]

export const TemplateRequestV1 = named(
  'SmsOrVoiceMessageV1',
  Type.Object({ pinType, messageText, pinLength, ...optional }, { examples }),
)
export const TemplateRequestV2 = named(
  'SmsOrVoiceMessage',
  Type.Object({ pinType, messageText, pinLength: Type.Optional(pinLength), ...optional }, { examples }),
)
export const TemplateChange = named(
  'SmsOrVoiceMessageUpdate',
  Type.Object({
    pinType: Type.Optional(pinType),
    messageText: Type.Optional(messageText),
    pinLength: Type.Optional(pinLength),
    ...optional,
  }),
)
type TemplateChange = Static<typeof TemplateChange>

const answered = {
  messageId: Type.String(),
  applicationId: Type.String(),
  pinPlaceholder: Type.String(),
  messageText: Type.String(),
  pinLength: Type.Integer(),
  pinType: Type.String(),
}
const spoken = {
  repeatDTMF: Type.Optional(Type.String()),
  speechRate: Type.Optional(Type.Number()),
  regional: Type.Optional(RegionalAnswer),
}
const language = Type.Optional(Type.String())
const voiceName = Type.Optional(Type.String())

export const TemplateV1 = answers(
  'MessageV1',
  Type.Object({ ...answered, sender: Type.Optional(Type.String()), language, voiceName, ...spoken }),
)
export const TemplateV2 = answers(
  'Message',
  Type.Object({ ...answered, language, voiceName, senderId: Type.Optional(Type.String()), ...spoken }),
)

/** What a body says of a template, in our words. Mistakes go to `problems`. */
export function readTemplate(body: TemplateChange, problems: Problems): Partial<NewTemplate> {
  const sender = body.senderId ?? body.sender
  const language = body.language === undefined ? undefined : parseLanguage(body.language)
  if (body.language !== undefined && !language) problems.add('language', `must be one of ${LANGUAGES.join(', ')}`)
  return {
    ...(body.pinType && { pinType: body.pinType === 'HEXA' ? 'HEX' : body.pinType }),
    ...(body.pinLength !== undefined && { pinLength: body.pinLength }),
    ...(body.messageText !== undefined && { text: body.messageText }),
    ...(body.pinPlaceholder !== undefined && { placeholder: body.pinPlaceholder }),
    ...(sender !== undefined && { sender }),
    ...(language && { language }),
    ...(body.voiceName !== undefined && { voiceName: body.voiceName }),
    ...(body.repeatDTMF !== undefined && { repeatDTMF: body.repeatDTMF }),
    ...(body.speechRate !== undefined && { speechRate: body.speechRate }),
    ...(body.regional && { regional: regionalOf(body.regional) }),
  }
}

/** The text must have a place for the code; which one it is may have to be found out. */
export function placeholderFor(text: string, wanted: string, problems: Problems): string {
  if (text.includes(wanted)) return wanted
  if (text.includes(STANDARD)) return STANDARD // a client of version 2 changes a template of version 1
  problems.add('messageText', `must contain ${wanted}`)
  return wanted
}

export const STANDARD = '{{pin}}'

/** Only what the contract names is kept. */
function regionalOf({ indiaDlt }: Static<typeof Regional>): Record<string, unknown> {
  if (!indiaDlt) return {}
  const { contentTemplateId, principalEntityId, teleMarketerId } = indiaDlt
  return {
    indiaDlt: {
      ...(contentTemplateId !== undefined && { contentTemplateId }),
      principalEntityId,
      ...(teleMarketerId !== undefined && { teleMarketerId }),
    },
  }
}

const shared = (template: Template) => ({
  messageId: template.templateId,
  applicationId: template.applicationId,
  pinPlaceholder: template.placeholder,
  messageText: template.text,
  pinLength: template.pinLength,
  pinType: template.pinType,
  ...(template.language && { language: template.language }),
  ...(template.voiceName && { voiceName: template.voiceName }),
  ...(template.repeatDTMF && { repeatDTMF: template.repeatDTMF }),
  ...(template.speechRate !== undefined && { speechRate: template.speechRate }),
  ...(template.regional && { regional: template.regional as Static<typeof Regional> }),
})

export const templateV1 = (template: Template): Static<typeof TemplateV1> => ({
  ...shared(template),
  ...(template.sender && { sender: template.sender }),
})

export const templateV2 = (template: Template): Static<typeof TemplateV2> => ({
  ...shared(template),
  ...(template.sender && { senderId: template.sender }),
})
