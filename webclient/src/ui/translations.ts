/** What there is a translation for. */
export type Phrase =
  | "email"
  | "password"
  | "newPassword"
  | "name"
  | "bio"
  | "accountName"
  | "roomName"
  | "invitation"
  | "browser"
  | "botName"
  | "webhook"
  | "bots"
  | "styles";

/** Of each phrase: the language, its flag, the words. */
export type Translations = Readonly<Record<Phrase, readonly (readonly [string, string, string])[]>>;

const languages = [
  ["en", "🇺🇸"],
  ["es", "🇪🇸"],
  ["fr", "🇫🇷"],
  ["hi", "🇮🇳"],
  ["de", "🇩🇪"],
  ["pt-BR", "🇧🇷"],
  ["ja", "🇯🇵"],
] as const;

// In the order of the languages above.
const phrases: Record<Phrase, readonly [string, string, string, string, string, string, string]> = {
  email: [
    "Your email address",
    "Tu dirección de correo electrónico",
    "Votre adresse e-mail",
    "आपका ईमेल पता",
    "Deine E-Mail-Adresse",
    "Seu endereço de e-mail",
    "メールアドレス",
  ],
  password: [
    "Your password",
    "Tu contraseña",
    "Votre mot de passe",
    "आपका पासवर्ड",
    "Dein Passwort",
    "Sua senha",
    "パスワード",
  ],
  newPassword: [
    "A new password, if you want to change it",
    "Una contraseña nueva, si quieres cambiarla",
    "Un nouveau mot de passe, si vous souhaitez en changer",
    "नया पासवर्ड, यदि आप इसे बदलना चाहते हैं",
    "Ein neues Passwort, falls du es ändern möchtest",
    "Uma nova senha, se quiser trocá-la",
    "新しいパスワード(変更する場合)",
  ],
  name: [
    "Your name, as others will see it",
    "Tu nombre, tal como lo verán los demás",
    "Votre nom, tel que les autres le verront",
    "आपका नाम, जैसा दूसरों को दिखेगा",
    "Dein Name, wie ihn die anderen sehen",
    "Seu nome, como os outros o verão",
    "ほかの人に表示される名前",
  ],
  bio: [
    "A few words about yourself",
    "Unas palabras sobre ti",
    "Quelques mots à votre sujet",
    "अपने बारे में कुछ शब्द",
    "Ein paar Worte über dich",
    "Algumas palavras sobre você",
    "自己紹介をひとこと",
  ],
  accountName: [
    "The name of your group or company",
    "El nombre de tu grupo o empresa",
    "Le nom de votre groupe ou entreprise",
    "आपके समूह या कंपनी का नाम",
    "Der Name eurer Gruppe oder Firma",
    "O nome do seu grupo ou empresa",
    "グループや会社の名前",
  ],
  roomName: [
    "What shall the room be called?",
    "¿Cómo se llamará la sala?",
    "Comment s’appellera le salon ?",
    "कमरे का नाम क्या होगा?",
    "Wie soll der Raum heißen?",
    "Como a sala vai se chamar?",
    "ルームの名前を決めてください",
  ],
  invitation: [
    "Welcome! Send this link to everyone who should join.",
    "¡Te damos la bienvenida! Envía este enlace a quienes deban unirse.",
    "Bienvenue ! Envoyez ce lien aux personnes à inviter.",
    "स्वागत है! जिन्हें शामिल करना है, उन्हें यह लिंक भेजें।",
    "Willkommen! Schicke diesen Link allen, die dazukommen sollen.",
    "Boas-vindas! Envie este link para quem deve participar.",
    "ようこそ!参加してほしい人にこのリンクを送ってください。",
  ],
  browser: [
    "Your browser is too old for Campfire. Please update it or use another one.",
    "Tu navegador es demasiado antiguo para Campfire. Actualízalo o usa otro.",
    "Votre navigateur est trop ancien pour Campfire. Mettez-le à jour ou utilisez-en un autre.",
    "आपका ब्राउज़र Campfire के लिए बहुत पुराना है। कृपया इसे अपडेट करें या दूसरा इस्तेमाल करें।",
    "Dein Browser ist zu alt für Campfire. Bitte aktualisiere ihn oder nimm einen anderen.",
    "Seu navegador é antigo demais para o Campfire. Atualize-o ou use outro.",
    "お使いのブラウザは古いため Campfire を表示できません。更新するか、別のブラウザをお使いください。",
  ],
  botName: [
    "What shall the bot be called?",
    "¿Cómo se llamará el bot?",
    "Comment s’appellera le bot ?",
    "बॉट का नाम क्या होगा?",
    "Wie soll der Bot heißen?",
    "Como o bot vai se chamar?",
    "ボットの名前を決めてください",
  ],
  webhook: [
    "Where Campfire tells the bot of messages to it",
    "Adónde avisa Campfire al bot de los mensajes dirigidos a él",
    "L’adresse où Campfire transmet au bot les messages qui lui sont destinés",
    "वह पता जहाँ Campfire बॉट को उसके संदेश भेजता है",
    "Wohin Campfire dem Bot Nachrichten an ihn meldet",
    "Para onde o Campfire avisa o bot das mensagens para ele",
    "ボット宛てのメッセージを Campfire が知らせる送信先",
  ],
  bots: [
    "Bots let other services post into Campfire.",
    "Con los bots, otros servicios pueden publicar en Campfire.",
    "Les bots permettent à d’autres services de publier dans Campfire.",
    "बॉट से दूसरी सेवाएँ Campfire में संदेश भेज सकती हैं।",
    "Mit Bots können andere Dienste in Campfire schreiben.",
    "Com bots, outros serviços podem publicar no Campfire.",
    "ボットを使うと、ほかのサービスから Campfire に投稿できます。",
  ],
  styles: [
    "Your own CSS changes how Campfire looks for everyone, and can break it.",
    "Tu propio CSS cambia el aspecto de Campfire para todos y puede estropearlo.",
    "Votre propre CSS change l’apparence de Campfire pour tous, et peut la casser.",
    "आपका CSS सबके लिए Campfire का रूप बदलता है और उसे बिगाड़ भी सकता है।",
    "Eigenes CSS ändert das Aussehen von Campfire für alle und kann es beschädigen.",
    "Seu próprio CSS muda a aparência do Campfire para todos e pode quebrá-la.",
    "独自の CSS は全員の Campfire の見た目を変えます。表示が崩れることもあります。",
  ],
};

/** Every phrase in every language. */
export const translations = Object.fromEntries(
  Object.entries(phrases).map(([phrase, words]) => [
    phrase,
    languages.map(([language, flag], at) => [language, flag, words[at]!] as const),
  ]),
) as unknown as Translations;
