package chip

// Codes of facets and notes. They are stable; Sentence explains each.
const (
	NotChecked = "not_checked" // any facet that an earlier failure hides

	// readable
	Read             = "read"
	TooLong          = "too_long"
	NotSOD           = "not_sod" // outer tag
	TrailingBytes    = "trailing_bytes"
	MessageMalformed = "message_malformed" // CMS
	ListMalformed    = "list_malformed"    // LDS security object
	HashNotSupported = "hash_not_supported"

	// groups
	GroupsUnchanged = "groups_unchanged"
	GroupChanged    = "group_changed"
	GroupNotListed  = "group_not_listed"
	ZoneNotRead     = "zone_not_read" // also country and zone

	// signature
	SignatureGood        = "signature_good"
	SignatureWrong       = "signature_wrong"
	SignatureUnsupported = "signature_unsupported"
	SignerMissing        = "signer_missing"
	ContentType          = "content_type"

	// strength
	HashStrong = "hash_strong"
	HashWeak   = "hash_weak"

	// issuer
	IssuerKnown       = "issuer_known"
	IssuerUnknown     = "issuer_unknown"
	IssuerUnsupported = "issuer_unsupported"
	ChainWrong        = "chain_wrong"

	// key
	SignerAllowed    = "signer_allowed"
	SignerNotAllowed = "signer_not_allowed"
	DocumentType     = "document_type"

	// country
	CountryAgrees  = "country_agrees"
	CountryDiffers = "country_differs"
	CountryUnknown = "country_unknown"

	// validity
	InTime               = "in_time"
	SignerNotYetValid    = "signer_not_yet_valid"
	SignerExpired        = "signer_expired"
	AuthorityNotYetValid = "authority_not_yet_valid"
	AuthorityExpired     = "authority_expired"
	DocumentExpired      = "document_expired"

	// revocation
	SignerNotRevoked = "signer_not_revoked"
	ListMissing      = "list_missing"
	ListNotCurrent   = "list_not_current"
	SignerRevoked    = "signer_revoked"

	// zone
	ZoneRight       = "zone_right"
	ZoneMalformed   = "zone_malformed"
	ZoneWrong       = "zone_wrong"
	ZoneDiffers     = "zone_differs"
	TypedUnreadable = "typed_unreadable"

	// notes
	Padded              = "padded"
	LocalityDiffers     = "locality_differs"
	KeyUsageNotCritical = "key_usage_not_critical"
)

// Sentence explains a code, and says what to do where something can be done. Unknown codes give "".
func Sentence(code string) (ja, en, fr string) {
	s := sentences[code]
	return s.ja, s.en, s.fr
}

type sentence struct{ ja, en, fr string }

var sentences = map[string]sentence{
	NotChecked: {"前の検査で問題が見つかったため、この項目は検査していません。", "Not checked, because an earlier check did not succeed.", "Non vérifié, car une vérification précédente a échoué."},

	Read:             {"チップの署名ファイル（EF.SOD）を読み取りました。", "The signed file of the chip (EF.SOD) was read.", "Le fichier signé de la puce (EF.SOD) a été lu."},
	TooLong:          {"ファイルが大きすぎるため、読み取りを中止しました。", "The file is too large; reading was stopped.", "Le fichier est trop grand ; la lecture a été arrêtée."},
	NotSOD:           {"チップの署名ファイル（EF.SOD）ではありません。読み取り直してください。", "This is not the signed file of a chip (EF.SOD). Read the chip again.", "Ce n’est pas le fichier signé d’une puce (EF.SOD). Relisez la puce."},
	TrailingBytes:    {"署名ファイルの後に余分なデータがあります。読み取り直してください。", "There are bytes after the signed file. Read the chip again.", "Des octets suivent le fichier signé. Relisez la puce."},
	MessageMalformed: {"署名ファイルが壊れています。読み取り直してください。", "The signed file is damaged. Read the chip again.", "Le fichier signé est endommagé. Relisez la puce."},
	ListMalformed:    {"署名ファイルの中の一覧が規則に合っていません。", "The list inside the signed file breaks the rules.", "La liste du fichier signé n’est pas conforme aux règles."},
	HashNotSupported: {"署名ファイルのハッシュ方式は、このプログラムでは確認できません。", "This program does not know the hash of the signed file.", "Ce programme ne connaît pas la fonction de hachage du fichier signé."},

	GroupsUnchanged: {"読み取ったデータは、署名された時のままです。", "The data read are those that were signed.", "Les données lues sont celles qui ont été signées."},
	GroupChanged:    {"チップのデータが、署名された後に書き換えられています。このチップのデータを使わないでください。", "Data of the chip were changed after they were signed. Do not use them.", "Des données de la puce ont été modifiées après la signature. Ne les utilisez pas."},
	GroupNotListed:  {"署名されていないデータがチップに含まれています。このチップのデータを使わないでください。", "The chip has data that were never signed. Do not use them.", "La puce contient des données qui n’ont jamais été signées. Ne les utilisez pas."},
	ZoneNotRead:     {"機械読取領域（DG1）が読み取られていません。DG1も読み取ってください。", "The machine readable zone (DG1) was not read. Read it too.", "La zone lisible par machine (DG1) n’a pas été lue. Lisez-la aussi."},

	SignatureGood:        {"署名は正しく、データは変更されていません。", "The signature is right; nothing was changed.", "La signature est correcte ; rien n’a été modifié."},
	SignatureWrong:       {"署名が正しくありません。このチップのデータを使わないでください。", "The signature is wrong. Do not use the data of this chip.", "La signature est fausse. N’utilisez pas les données de cette puce."},
	SignatureUnsupported: {"この署名方式は、このプログラムでは確認できません。旅券の券面で確認してください。", "This program cannot check this kind of signature. Go by the data page.", "Ce programme ne peut pas vérifier ce type de signature. Fiez-vous à la page de données."},
	SignerMissing:        {"署名者の証明書が署名ファイルに一つだけ含まれていなければなりませんが、そうなっていません。", "The signed file does not hold exactly one certificate of its signer.", "Le fichier signé ne contient pas exactement un certificat de son signataire."},
	ContentType:          {"署名されたものの種類が、旅券のデータではありません。", "What was signed does not call itself data of a passport.", "Ce qui a été signé ne se présente pas comme des données de passeport."},

	HashStrong: {"ハッシュ方式は十分な強度です。", "The hashes are strong enough.", "Les fonctions de hachage sont assez fortes."},
	HashWeak:   {"古い旅券の弱いハッシュ方式（SHA-1）が使われています。券面と照合し、担当者が判断してください。", "A weak hash of old passports (SHA-1) was used. Compare with the data page; a person decides.", "Un hachage faible d’anciens passeports (SHA-1) a été utilisé. Comparez avec la page de données ; une personne décide."},

	IssuerKnown:       {"信頼する国の認証局が署名者を証明しています。", "A country authority that is trusted here certified the signer.", "Une autorité nationale de confiance a certifié le signataire."},
	IssuerUnknown:     {"署名者を証明した国の認証局が、信頼リストにありません。新しいマスターリストを取り込んでください。", "The country authority of the signer is not on the trust list. Import a newer master list.", "L’autorité nationale du signataire n’est pas dans la liste de confiance. Importez une liste plus récente."},
	IssuerUnsupported: {"国の認証局の方式は、このプログラムでは確認できません。", "This program cannot check the kind of key of the country authority.", "Ce programme ne peut pas vérifier le type de clé de l’autorité nationale."},
	ChainWrong:        {"署名者の証明書は、名乗っている認証局が発行したものではありません。", "The certificate of the signer was not issued by the authority that it names.", "Le certificat du signataire n’a pas été délivré par l’autorité qu’il nomme."},

	SignerAllowed:    {"署名者は、この種類の旅券に署名することを認められています。", "The signer may sign such documents.", "Le signataire est autorisé à signer de tels documents."},
	SignerNotAllowed: {"署名者の証明書は、旅券の署名用ではありません。", "The certificate of the signer is not one for signing passports.", "Le certificat du signataire n’est pas destiné à signer des passeports."},
	DocumentType:     {"署名者は、この種類の文書に署名することを認められていません。", "The signer may not sign this type of document.", "Le signataire n’est pas autorisé à signer ce type de document."},

	CountryAgrees:  {"署名者、認証局、旅券の発行国が一致しています。", "Signer, authority and document name the same state.", "Le signataire, l’autorité et le document nomment le même État."},
	CountryDiffers: {"署名者、認証局、旅券の発行国が一致しません。", "Signer, authority and document name different states.", "Le signataire, l’autorité et le document nomment des États différents."},
	CountryUnknown: {"署名者または認証局の国が分かりません。担当者が判断してください。", "The state of the signer or its authority is not known here. A person decides.", "L’État du signataire ou de son autorité n’est pas connu ici. Une personne décide."},

	InTime:               {"署名者、認証局、旅券は有効期間内です。", "Signer, authority and document are in force.", "Le signataire, l’autorité et le document sont en vigueur."},
	SignerNotYetValid:    {"署名者の証明書は、まだ有効期間前です。", "The certificate of the signer is not yet in force.", "Le certificat du signataire n’est pas encore en vigueur."},
	SignerExpired:        {"署名者の証明書は期限切れです。", "The certificate of the signer has ended.", "Le certificat du signataire a expiré."},
	AuthorityNotYetValid: {"国の認証局の証明書は、まだ有効期間前です。", "The certificate of the country authority is not yet in force.", "Le certificat de l’autorité nationale n’est pas encore en vigueur."},
	AuthorityExpired:     {"国の認証局の証明書は期限切れです。", "The certificate of the country authority has ended.", "Le certificat de l’autorité nationale a expiré."},
	DocumentExpired:      {"旅券の有効期限が切れています。新しい旅券を求めてください。", "The document has expired. Ask for the new one.", "Le document a expiré. Demandez le nouveau."},

	SignerNotRevoked: {"署名者は失効していません。", "The signer was not revoked.", "Le signataire n’a pas été révoqué."},
	ListMissing:      {"この認証局の失効リストがないため、失効しているかどうか分かりません。", "There is no revocation list of this authority: whether the signer was revoked is not known.", "Il n’y a pas de liste de révocation de cette autorité : on ignore si le signataire a été révoqué."},
	ListNotCurrent:   {"この認証局の失効リストが古いため、失効しているかどうか分かりません。新しいリストを取り込んでください。", "The revocation list of this authority is out of date: whether the signer was revoked is not known. Import a newer one.", "La liste de révocation de cette autorité est périmée : on ignore si le signataire a été révoqué. Importez-en une plus récente."},
	SignerRevoked:    {"署名者の証明書は失効しています。このチップのデータを使わないでください。", "The certificate of the signer was revoked. Do not use the data of this chip.", "Le certificat du signataire a été révoqué. N’utilisez pas les données de cette puce."},

	ZoneRight:       {"機械読取領域は規則に合っています。", "The machine readable zone follows the rules.", "La zone lisible par machine est conforme aux règles."},
	ZoneMalformed:   {"機械読取領域のファイル（DG1）が壊れています。読み取り直してください。", "The file of the machine readable zone (DG1) is damaged. Read the chip again.", "Le fichier de la zone lisible par machine (DG1) est endommagé. Relisez la puce."},
	ZoneWrong:       {"チップの機械読取領域が規則に合っていません。", "The machine readable zone of the chip breaks the rules.", "La zone lisible par machine de la puce n’est pas conforme aux règles."},
	ZoneDiffers:     {"入力された機械読取領域がチップと異なります。券面を確認し、担当者が判断してください。", "The zone that was typed is not that of the chip. Look at the data page; a person decides.", "La zone saisie n’est pas celle de la puce. Regardez la page de données ; une personne décide."},
	TypedUnreadable: {"入力された機械読取領域の行数または文字数が正しくありません。入力し直してください。", "The zone that was typed has the wrong number of lines or characters. Type it again.", "La zone saisie n’a pas le bon nombre de lignes ou de caractères. Saisissez-la à nouveau."},

	Padded:              {"署名ファイルの後にゼロが続いていました（無視しました）。", "Zeros followed the signed file; they were left out.", "Des zéros suivaient le fichier signé ; ils ont été ignorés."},
	LocalityDiffers:     {"証明書の別名にある国コードが、証明書の国と異なります。", "An alternative name of a certificate has another state than its subject.", "Un nom alternatif d’un certificat indique un autre État que son sujet."},
	KeyUsageNotCritical: {"署名者の証明書の鍵用途が、重要（critical）とされていません。", "The key usage of the signer’s certificate is not marked critical.", "L’usage de la clé du certificat du signataire n’est pas marqué critique."},
}
