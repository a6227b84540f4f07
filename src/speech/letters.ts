import type { Language } from './types.ts'

/** Where the engines know a bare letter's name better than its spelling (German „ix“ is read as a Roman nine). */
const BARE = 'A B C D E F G H I J K L M N O P Q R S T U V W X Y Z'

/**
 * Names of the letters A–Z as an engine reads them best: in words where a bare letter is a word of its own or read in
 * English (Polish w, Cyrillic and Asian voices), and with a word before it where a letter sounds like a digit of the same
 * language (Japanese Q and 9, Korean E and 2, O and 5, Mandarin E and 1). `_` stands for a space.
 */
const NAMES: Record<Language, string> = {
  en: BARE,
  es: 'a be ce de e efe ge hache i jota ca ele eme ene o pe cu erre ese te u uve uve_doble equis i_griega zeta',
  ca: 'à be_alta ce dé e efa ge hac i jota ca ela ema ena o pe cu erra essa té u ve_baixa ve_doble ics i_grega zeta',
  da: BARE,
  nl: 'aa bee cee dee ee ef gee haa ie jee kaa el em en oo pee kuu R es tee uu vee wee iks ypsilon zet',
  fr: BARE.replace('E', 'euh'),
  de: BARE,
  it: 'a bi ci di e effe gi acca i i_lunga cappa elle emme enne o pi cu erre esse ti u vu doppia_vu ics ipsilon zeta',
  ja: 'エー ビー シー ディー イー エフ ジー エイチ アイ ジェー ケー エル エム エヌ オー ピー えいじのキュー アール エス ティー ユー ブイ ダブルユー エックス ワイ ゼット',
  ko: '에이 비 씨 디 영문이 에프 지 에이치 아이 제이 케이 엘 엠 엔 영문오 피 큐 알 에스 티 유 브이 더블유 엑스 와이 제트',
  no: BARE.replace('J', 'jådd'),
  pl: 'a be ce de e ef gie ha i jot ka el em en o pe ku er es te u fał wu iks igrek zet',
  ru: 'а бэ цэ дэ е эф гэ аш и́ йот ка эль эм эн о пэ ку эр эс тэ у вэ дубль-вэ икс игрек зет',
  sv: BARE,
  fi: 'aa bee see dee ee äffä gee hoo ii jii koo ällä ämmä ännä oo pee kuu ärrä ässä tee uu vee kaksois_vee äksä yy tseta',
  hr: 'a be ce de e ef ge ha i jot ka el em en o pe ku er es te u ve duplo_ve iks ipsilon ze',
  sl: 'a be ce de e ef ge ha i jot ka elə em en o pe ku er es te u ve dvojni_ve iks ipsilon ze',
  ro: 'a be ce de e ef ge haș i jot ka ell em en o pe chiu er es te u ve dublu_ve ics igrec zet',
  pt_pt: 'á bê cê dê E efe guê agá i jota capa ele eme ene ó pê quê erre esse tê u vê dáblio xis ípsilon zê',
  pt_br: 'á bê cê dê E efe guê agá i jota capa ele eme ene ó pê quê erre esse tê u vê dáblio xis ípsilon zê',
  zh_cn: '诶 必 西 弟 衣 艾付 吉 艾尺 艾 杰 开 艾勒 艾母 恩 欧 屁 扣 阿儿 艾丝 踢 优 维 达不溜 艾克斯 歪 贼',
  zh_tw: '诶 必 西 弟 字母衣 艾付 吉 艾尺 艾 杰 开 艾勒 艾母 恩 欧 屁 扣 阿儿 艾丝 踢 优 维 达不溜 艾克斯 歪 贼',
}

/** The 26 names of a language's letters, A first. */
export const letterNames = (language: Language): string[] =>
  NAMES[language].split(' ').map((name) => name.replaceAll('_', ' '))
