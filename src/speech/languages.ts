import { type Language, parseLanguage } from '../language.ts'

/**
 * What Pincall says by itself, one table a language. Everything is written the way an engine reads it best, not always the
 * way it is spelled: Japanese is kana only (with わ where the particle は is meant), digits are words because engines read
 * figures as amounts, and words that sound alike are avoided (zwo, 幺, Catalan un).
 */
export type LanguageTable = {
  /** Voice id of espeak-ng. Its `set_voice` keeps the old voice for ids it does not know, so nothing is derived here. */
  espeak: string
  /** Spoken form of the digits 0–9, as characters of a code. */
  digits: string
  /** The digits 0–9 as keys of a telephone, where a language says them differently there. */
  keys?: string
  /** The keys * and #. */
  signs: string
  greeting: string
  repeat: string
  offerKey: string
  replay: string
  goodbye: string
  /** Said instead of a template's text that no engine can read in this language. */
  message: string
}

const TABLES: Record<Language, LanguageTable> = {
  en: {
    espeak: 'en-us',
    digits: 'zero one two three four five six seven eight nine',
    signs: 'star hash',
    greeting: 'Hello. This is a call with your verification code.',
    repeat: 'I repeat.',
    offerKey: 'To hear your code, press {key}.',
    replay: 'To hear it again, press {key}.',
    goodbye: 'Goodbye.',
    message: 'Your verification code is {{pin}}.',
  },
  es: {
    espeak: 'es',
    digits: 'cero uno dos tres cuatro cinco seis siete ocho nueve',
    signs: 'asterisco almohadilla',
    greeting: 'Hola. Le llamamos para darle su código de verificación.',
    repeat: 'Repito.',
    offerKey: 'Para escuchar su código, pulse {key}.',
    replay: 'Para escucharlo de nuevo, pulse {key}.',
    goodbye: 'Adiós.',
    message: 'Su código de verificación es {{pin}}.',
  },
  ca: {
    espeak: 'ca',
    digits: 'zero un dos tres quatre cinc sis set vuit nou',
    signs: 'asterisc coixinet',
    greeting: 'Hola. Li truquem per donar-li el seu codi de verificació.',
    repeat: 'Repeteixo.',
    offerKey: 'Per escoltar el codi, premi {key}.',
    replay: 'Per tornar-lo a escoltar, premi {key}.',
    goodbye: 'Adéu.',
    message: 'El seu codi de verificació és {{pin}}.',
  },
  da: {
    espeak: 'da',
    digits: 'nul et to tre fire fem seks syv otte ni',
    signs: 'stjerne firkant',
    greeting: 'Hej. Dette er et opkald med din bekræftelseskode.',
    repeat: 'Jeg gentager.',
    offerKey: 'Tryk {key} for at høre din kode.',
    replay: 'Tryk {key} for at høre den igen.',
    goodbye: 'Farvel.',
    message: 'Din bekræftelseskode er {{pin}}.',
  },
  nl: {
    espeak: 'nl',
    digits: 'nul één twee drie vier vijf zes zeven acht negen',
    signs: 'sterretje hekje',
    greeting: 'Hallo. Dit is een oproep met uw verificatiecode.',
    repeat: 'Ik herhaal.',
    offerKey: 'Om uw code te horen, toets {key}.',
    replay: 'Om de code nogmaals te horen, toets {key}.',
    goodbye: 'Tot ziens.',
    message: 'Uw verificatiecode is {{pin}}.',
  },
  fr: {
    espeak: 'fr',
    digits: 'zéro un deux trois quatre cinq six sept huit neuf',
    signs: 'étoile dièse',
    greeting: 'Bonjour. Nous vous appelons pour vous donner votre code de vérification.',
    repeat: 'Je répète.',
    offerKey: 'Pour écouter votre code, appuyez sur {key}.',
    replay: 'Pour le réécouter, appuyez sur {key}.',
    goodbye: 'Au revoir.',
    message: 'Votre code de vérification est {{pin}}.',
  },
  de: {
    espeak: 'de',
    digits: 'null eins zwo drei vier fünf sechs sieben acht neun',
    keys: 'Null Eins Zwei Drei Vier Fünf Sechs Sieben Acht Neun',
    signs: 'Sterntaste Rautetaste',
    greeting: 'Hallo. Dies ist ein Anruf mit Ihrem Bestätigungscode.',
    repeat: 'Ich wiederhole.',
    offerKey: 'Um Ihren Code zu hören, drücken Sie die {key}.',
    replay: 'Um ihn noch einmal zu hören, drücken Sie die {key}.',
    goodbye: 'Auf Wiederhören.',
    message: 'Ihr Bestätigungscode lautet {{pin}}.',
  },
  it: {
    espeak: 'it',
    digits: 'zero uno due tre quattro cinque sei sette otto nove',
    signs: 'asterisco cancelletto',
    greeting: 'Buongiorno. La chiamiamo per comunicarle il suo codice di verifica.',
    repeat: 'Ripeto.',
    offerKey: 'Per ascoltare il codice, prema {key}.',
    replay: 'Per riascoltarlo, prema {key}.',
    goodbye: 'Arrivederci.',
    message: 'Il suo codice di verifica è {{pin}}.',
  },
  ja: {
    espeak: 'ja',
    digits: 'ゼロ いち に さん よん ご ろく なな はち きゅう',
    signs: 'こめじるし シャープ',
    greeting: 'こんにちわ。にんしょうコードをおしらせする、おでんわです。',
    repeat: 'くりかえします。',
    offerKey: 'コードをきくにわ、{key}をおしてください。',
    replay: 'もういちどきくにわ、{key}をおしてください。',
    goodbye: 'しつれいいたします。',
    message: 'にんしょうコードわ、{{pin}}、です。',
  },
  ko: {
    espeak: 'ko',
    digits: '공 일 이 삼 사 오 육 칠 팔 구',
    keys: '영번 일번 이번 삼번 사번 오번 육번 칠번 팔번 구번',
    signs: '별표버튼 우물정자버튼',
    greeting: '안녕하세요. 인증 코드를 알려 드리는 전화입니다.',
    repeat: '다시 말씀드리겠습니다.',
    offerKey: '코드를 들으시려면 {key}을 누르세요.',
    replay: '다시 들으시려면 {key}을 누르세요.',
    goodbye: '안녕히 계세요.',
    message: '인증 코드는 {{pin}} 입니다.',
  },
  no: {
    espeak: 'nb',
    digits: 'null én to tre fire fem seks sju åtte ni',
    signs: 'stjerne firkant',
    greeting: 'Hei. Dette er en samtale med bekreftelseskoden din.',
    repeat: 'Jeg gjentar.',
    offerKey: 'Trykk {key} for å høre koden din.',
    replay: 'Trykk {key} for å høre den igjen.',
    goodbye: 'Ha det bra.',
    message: 'Bekreftelseskoden din er {{pin}}.',
  },
  pl: {
    espeak: 'pl',
    digits: 'zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć',
    signs: 'gwiazdkę krzyżyk',
    greeting: 'Dzień dobry. Dzwonimy, aby podać kod weryfikacyjny.',
    repeat: 'Powtarzam.',
    offerKey: 'Aby usłyszeć kod, naciśnij {key}.',
    replay: 'Aby usłyszeć go ponownie, naciśnij {key}.',
    goodbye: 'Do widzenia.',
    message: 'Kod weryfikacyjny to {{pin}}.',
  },
  ru: {
    espeak: 'ru',
    digits: 'ноль один два три четыре пять шесть семь восемь девять',
    signs: 'звёздочку решётку',
    greeting: 'Здравствуйте. Мы звоним, чтобы сообщить вам код подтверждения.',
    repeat: 'Повторяю.',
    offerKey: 'Чтобы услышать код, нажмите {key}.',
    replay: 'Чтобы услышать его ещё раз, нажмите {key}.',
    goodbye: 'До свидания.',
    message: 'Ваш код подтверждения: {{pin}}.',
  },
  sv: {
    espeak: 'sv',
    digits: 'noll ett två tre fyra fem sex sju åtta nio',
    signs: 'stjärna fyrkant',
    greeting: 'Hej. Det här är ett samtal med din verifieringskod.',
    repeat: 'Jag upprepar.',
    offerKey: 'Tryck {key} för att höra din kod.',
    replay: 'Tryck {key} för att höra den igen.',
    goodbye: 'Hej då.',
    message: 'Din verifieringskod är {{pin}}.',
  },
  fi: {
    espeak: 'fi',
    digits: 'nolla yksi kaksi kolme neljä viisi kuusi seitsemän kahdeksan yhdeksän',
    signs: 'tähti ruutu',
    greeting: 'Hei. Tämä puhelu kertoo vahvistuskoodisi.',
    repeat: 'Toistan.',
    offerKey: 'Kuullaksesi koodin, paina {key}.',
    replay: 'Kuullaksesi sen uudelleen, paina {key}.',
    goodbye: 'Kuulemiin.',
    message: 'Vahvistuskoodisi on {{pin}}.',
  },
  hr: {
    espeak: 'hr',
    digits: 'nula jedan dva tri četiri pet šest sedam osam devet',
    signs: 'zvjezdicu ljestve',
    greeting: 'Dobar dan. Ovo je poziv s vašim kodom za potvrdu.',
    repeat: 'Ponavljam.',
    offerKey: 'Da biste čuli kod, pritisnite {key}.',
    replay: 'Da biste ga čuli ponovno, pritisnite {key}.',
    goodbye: 'Doviđenja.',
    message: 'Vaš kod za potvrdu je {{pin}}.',
  },
  sl: {
    espeak: 'sl',
    digits: 'nič ena dva tri štiri pet šest sedem osem devet',
    signs: 'zvezdico lojtro',
    greeting: 'Pozdravljeni. To je klic z vašo potrditveno kodo.',
    repeat: 'Ponavljam.',
    offerKey: 'Če želite slišati kodo, pritisnite {key}.',
    replay: 'Če jo želite slišati ponovno, pritisnite {key}.',
    goodbye: 'Nasvidenje.',
    message: 'Vaša potrditvena koda je {{pin}}.',
  },
  ro: {
    espeak: 'ro',
    digits: 'zero unu doi trei patru cinci șase șapte opt nouă',
    signs: 'steluță diez',
    greeting: 'Bună ziua. Vă sunăm pentru a vă comunica codul de verificare.',
    repeat: 'Repet.',
    offerKey: 'Pentru a asculta codul, apăsați {key}.',
    replay: 'Pentru a-l asculta din nou, apăsați {key}.',
    goodbye: 'La revedere.',
    message: 'Codul dumneavoastră de verificare este {{pin}}.',
  },
  pt_pt: {
    espeak: 'pt',
    digits: 'zero um dois três quatro cinco seis sete oito nove',
    signs: 'asterisco cardinal',
    greeting: 'Olá. Esta é uma chamada com o seu código de verificação.',
    repeat: 'Repito.',
    offerKey: 'Para ouvir o seu código, prima {key}.',
    replay: 'Para ouvir novamente, prima {key}.',
    goodbye: 'Adeus.',
    message: 'O seu código de verificação é {{pin}}.',
  },
  pt_br: {
    espeak: 'pt-br',
    digits: 'zero um dois três quatro cinco seis sete oito nove',
    signs: 'asterisco jogo-da-velha',
    greeting: 'Olá. Esta é uma ligação com o seu código de verificação.',
    repeat: 'Vou repetir.',
    offerKey: 'Para ouvir o seu código, pressione {key}.',
    replay: 'Para ouvir novamente, pressione {key}.',
    goodbye: 'Até logo.',
    message: 'O seu código de verificação é {{pin}}.',
  },
  zh_cn: {
    espeak: 'cmn',
    digits: '零 幺 二 三 四 五 六 七 八 九', // 幺 as on every Chinese telephone: 一 and 七 are mistaken for each other
    keys: '零 一 二 三 四 五 六 七 八 九',
    signs: '星号键 井号键',
    greeting: '您好，这是您的验证码电话。',
    repeat: '我再重复一遍。',
    offerKey: '收听验证码，请按{key}。',
    replay: '重听，请按{key}。',
    goodbye: '再见。',
    message: '您的验证码是：{{pin}}。',
  },
  zh_tw: {
    espeak: 'cmn',
    digits: '零 一 二 三 四 五 六 七 八 九',
    signs: '米字鍵 井字鍵',
    greeting: '您好，這是您的驗證碼電話。',
    repeat: '我再重複一次。',
    offerKey: '收聽驗證碼，請按{key}。',
    replay: '重聽，請按{key}。',
    goodbye: '再見。',
    message: '您的驗證碼是：{{pin}}。',
  },
}

export const tableOf = (language: Language): LanguageTable => TABLES[language]

/** Whether a call can be spoken in this language: asked when a template is made, not when the phone rings. */
export const canSpeak = (language: string): boolean => parseLanguage(language) !== undefined

/** How a key of the telephone is called: `0`–`9`, `*` or `#`. */
export function keyName(language: Language, key: string): string | undefined {
  const { digits, keys, signs } = tableOf(language)
  return `${keys ?? digits} ${signs}`.split(' ')['0123456789*#'.indexOf(key)]
}
