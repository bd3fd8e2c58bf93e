package verify

import (
	"akashi/certificate/hcert"
	"akashi/certificate/shc"
	"akashi/certificate/vdsnc"
)

// Codes of facets. They are stable; Sentence explains each.
const (
	NotChecked = "not_checked" // any facet that an earlier failure hides

	// readable
	Read                = "read"
	NotRecognised       = "not_recognised"
	FamilyNotSupported  = "family_not_supported"
	FileNotSupported    = "file_not_supported"
	TooLong             = "too_long"
	ImageUnreadable     = "image_unreadable"
	ImageWithoutCode    = "image_without_code"
	SymbolUnread        = "symbol_unread" // beside codes that were read
	CardScheme          = "card_scheme"   // step 1 of smart-health-cards, 8
	CardDigits          = "card_digits"   // step 2
	CardShape           = "card_shape"    // step 3
	CardInflate         = "card_inflate"  // step 5
	CardClaims          = "card_claims"   // step 6
	BarcodeMalformed    = "barcode_malformed"
	HealthEncoding      = "health_encoding"  // base45
	HealthInflate       = "health_inflate"   // zlib
	HealthStructure     = "health_structure" // CBOR
	HealthMessage       = "health_message"   // COSE
	HealthClaims        = "health_claims"
	VersionNotSupported = "version_not_supported"

	// signature
	SignatureGood       = "signature_good"
	SignatureWrong      = "signature_wrong"
	SignatureForm       = "signature_form"
	AlgorithmNotAllowed = "algorithm_not_allowed"
	KeysWithdrawn       = "keys_withdrawn" // nobody can check it any more

	// signature: header of a health card, step 4
	CompressionNotAllowed = "compression_not_allowed"
	KeyNotNamed           = "key_not_named"
	KeyEnclosed           = "key_enclosed"
	ConditionNotKnown     = "condition_not_known"
	HeaderMalformed       = "header_malformed"

	// issuer
	IssuerKnown       = "issuer_known"
	IssuerUnknown     = "issuer_unknown"
	IssuerForm        = "issuer_form"
	IssuerUnsupported = "issuer_unsupported"
	ChainWrong        = "chain_wrong"

	// key
	KeyOfIssuer      = "key_of_issuer"
	KeyNotOfIssuer   = "key_not_of_issuer"
	KeyOfOtherTest   = "key_of_other_test" // the same of a TEST issuer, whose name all installations share
	KeyNotInForce    = "key_not_in_force"
	KeyNotListed     = "key_not_listed" // of a participant whose others are
	SignerAllowed    = "signer_allowed"
	SignerNotAllowed = "signer_not_allowed"
	CountryDiffers   = "country_differs"
	DomainDiffers    = "domain_differs" // of a signer that is listed for other certificates

	// validity
	InTime               = "in_time"
	NotYetValid          = "not_yet_valid"
	Expired              = "expired"
	ExpiresBeforeIssue   = "expires_before_issue"
	ExpiryMissing        = "expiry_missing"
	NotYetInForce        = "not_yet_in_force"
	CodeToRenew          = "code_to_renew"
	SignerNotYetValid    = "signer_not_yet_valid"
	SignerExpired        = "signer_expired"
	AuthorityNotYetValid = "authority_not_yet_valid"
	AuthorityExpired     = "authority_expired"

	// revocation
	NotRevoked       = "not_revoked"        // a health card
	SignerNotRevoked = "signer_not_revoked" // of a bar code, for which there is no list of single ones
	SignerListed     = "signer_listed"      // of an HC1 code: who is withdrawn is taken off
	NoList           = "no_list"
	ListMissing      = "list_missing"
	ListNotCurrent   = "list_not_current"
	SignerRevoked    = "signer_revoked"
	CardRevoked      = "card_revoked"
	Revoked          = "revoked"        // by the issuer's status list, any family
	Superseded       = "superseded"     // there is a newer one
	StatusUnknown    = "status_unknown" // the status list is too old

	// freshness
	TrustFresh      = "trust_fresh"
	TrustOld        = "trust_old"
	TrustUndated    = "trust_undated"
	TrustBeforeCode = "trust_before_code"

	// issued
	InIssuanceLog     = "in_issuance_log"
	NotInIssuanceLog  = "not_in_issuance_log" // signed with a key that should sign nothing else
	IssuanceLogOld    = "issuance_log_old"    // it may be younger than the log
	BeforeIssuanceLog = "before_issuance_log" // it says to be older than the log
	IssuanceLogPart   = "issuance_log_part"   // the part of the log that could have it is not here
	NoIssuanceLog     = "no_issuance_log"

	// content; without the first two also notes
	ContentGood      = "content_good"
	ContentRules     = "content_rules"
	ContentWrong     = "content_wrong"
	NoPatient        = "no_patient"
	SeveralPatients  = "several_patients"
	NoName           = "no_name"
	NoDose           = "no_dose"
	DoseNotCompleted = "dose_not_completed"
	DoseSubpotent    = "dose_subpotent"
	DoseWithoutCode  = "dose_without_code"
	DoseWithoutDate  = "dose_without_date"
	DoseOfNobody     = "dose_of_nobody"

	// content of HC1 codes
	ContentUnknown        = "content_unknown"
	ContentIncomplete     = "content_incomplete"
	SeveralEvents         = "several_events"
	EventInFuture         = "event_in_future"
	TestPositive          = "test_positive"
	TestWithoutResult     = "test_without_result"
	RecoveryNotYet        = "recovery_not_yet"
	RecoveryOver          = "recovery_over"
	ProductNotInCatalogue = "product_not_in_catalogue"
	TooRecent             = "too_recent"
	TemplateUnknown       = "template_unknown"
	LinkOnly              = "link_only"
	DraftFormat           = "draft_format"
)

// Codes of notes, beside those of shc and vdsnc.
const (
	NotVaccination = "not_vaccination"
	UnknownMembers = "unknown_members"

	BreaksSchema       = "breaks_schema"        // of an EU certificate
	CoreDataSet        = "core_data_set"        // of WHO
	AuthorityDiffers   = "authority_differs"    // of a yellow card, from its signer
	ExpiresAfterSigner = "expires_after_signer" // later than the signer's certificate
	IssuedBeforeSigner = "issued_before_signer" // earlier than the signer's certificate
	LinkDoubtful       = "link_doubtful"
)

// Sentence explains a code of a facet or note to the person at the counter. Both
// are empty for what is no code of this package.
func Sentence(code string) (ja, en string) {
	s := sentences[code]
	return s.ja, s.en
}

type sentence struct{ ja, en string }

var sentences = map[string]sentence{
	NotChecked: {"前の検査で問題が見つかったため、この項目は検査していません。", "Not checked, because an earlier check did not succeed."},

	Read:                {"コードを読み取りました。", "The code was read."},
	NotRecognised:       {"接種証明のコードではありません。", "This is not the code of a vaccination certificate."},
	FamilyNotSupported:  {"この種類の証明書は、このプログラムでは確認できません。", "This program does not check this kind of certificate."},
	FileNotSupported:    {"この種類のファイルは読めません。コードの画像か文字列を渡してください。", "This kind of file cannot be read. Give a picture or the text of the code."},
	TooLong:             {"データが大きすぎるため、読み取りを中止しました。", "There is too much data; reading was stopped."},
	ImageUnreadable:     {"画像のコードを読み取れません。撮り直してください。", "The code in the picture cannot be read. Take it again."},
	ImageWithoutCode:    {"画像の中にQRコードが見つかりません。", "No QR code was found in the picture."},
	SymbolUnread:        {"画像に、読み取れないコードがほかにもあります。すべてのコードがはっきり写るように撮り直してください。", "There is another code in the picture that cannot be read. Take it again so that every code is sharp and whole."},
	CardScheme:          {"SMART Health Cardのコードまたはファイルではありません。", "This is not the code or file of a SMART Health Card."},
	CardDigits:          {"コードの数字の並びが正しくないか、分割されたコードの一部が足りません。", "The digits of the code are wrong, or a part of a split code is missing."},
	CardShape:           {"カードの形式が正しくありません。読み取り直してください。", "The card is not put together correctly. Scan it again."},
	CardInflate:         {"カードの内容を展開できません。", "The content of the card cannot be unpacked."},
	CardClaims:          {"カードの内容を解釈できません。", "The content of the card cannot be understood."},
	BarcodeMalformed:    {"コードのデータが途中で切れているか、壊れています。読み取り直してください。", "The data of the code are cut off or damaged. Scan it again."},
	VersionNotSupported: {"このコードの種類または版は、このプログラムでは確認できません。", "This program does not know this type or version of code."},

	SignatureGood:       {"電子署名は正しく、内容は署名後に変更されていません。", "The signature is right: nothing was changed since it was signed."},
	SignatureWrong:      {"電子署名が内容と一致しません。改ざんまたは偽造のおそれがあります。", "The signature does not match the content. It was changed or forged."},
	SignatureForm:       {"電子署名の形式が正しくありません。", "The signature is not written correctly."},
	AlgorithmNotAllowed: {"認められていない署名方式が使われています。", "It is signed in a way that is not allowed."},

	CompressionNotAllowed: {"SMART Health Cardの決まりどおりに圧縮されていません。決まりに従う発行者の証明書ではありません。", "It is not compressed the way health cards are. No issuer that keeps to the rules makes it so."},
	KeyNotNamed:           {"どの鍵で署名したかが正しく書かれていないため、署名を確認できません。", "It does not say properly which key signed it, so the signature cannot be checked."},
	KeyEnclosed:           {"署名を確認する鍵を証明書自身が持ち込んでいます。鍵は発行者が公開したものだけを使います。偽造のおそれがあります。", "It brings the key to check it with. Only keys that the issuer has published count. It may be forged."},
	ConditionNotKnown:     {"署名の確認に、SMART Health Cardにはない条件を求めています。", "It asks to be checked under conditions that health cards do not have."},
	HeaderMalformed:       {"署名方式を書いた部分が壊れているため、署名を確認できません。", "The part that says how it was signed is damaged, so the signature cannot be checked."},

	IssuerKnown:       {"発行者は信頼リストに載っています。", "The issuer is on the trust list."},
	IssuerUnknown:     {"発行者が信頼リストにありません。本物か偽物かは判断できません。", "The issuer is not on the trust list. Whether it is genuine cannot be said."},
	IssuerForm:        {"発行者の書き方が正しくありません。", "The issuer is not named correctly."},
	IssuerUnsupported: {"発行国の認証局の署名方式を、このプログラムでは確認できません。", "This program cannot check the kind of signature that the country's authority uses."},
	ChainWrong:        {"国の認証局の名をかたっていますが、その認証局による署名ではありません。偽造のおそれがあります。", "It claims to come from a trusted authority, but that authority did not sign it. It may be forged."},

	KeyOfIssuer:      {"署名の鍵は発行者のものです。", "The key belongs to the issuer."},
	KeyNotOfIssuer:   {"署名の鍵は、この発行者が公開しているものではありません。", "The key is not one that this issuer has published."},
	KeyOfOtherTest:   {"署名の鍵は、手元の信頼リストにある試験用発行者のものではありません。試験用発行者の名前はどの試験環境でも同じなので、別の試験環境の見本かもしれません。いずれにしても何の証明にもなりません。", "The key is not one that the test issuer on this trust list has published. All test installations share its name, so this may be a specimen of another one. It proves nothing in any case."},
	KeyNotInForce:    {"署名の鍵の証明書が有効でない期間に署名されています。", "It was signed when the certificate of its key was not valid."},
	SignerAllowed:    {"署名者はこの証明書への署名を認められています。", "The signer may sign this kind of certificate."},
	SignerNotAllowed: {"署名者はこの証明書への署名を認められていません。", "The signer may not sign this kind of certificate."},
	CountryDiffers:   {"署名者の国と発行国が一致しません。", "The country of the signer is not the issuing country."},
	DomainDiffers:    {"署名者は別の用途(ドメイン)の信頼リストに載っており、この種類の証明書は保証しません。", "The signer is listed for another domain, and does not vouch for this kind of certificate."},

	InTime:               {"有効期間内です。", "It is within its dates."},
	NotYetValid:          {"発行日時が未来です。時計を確認してください。", "Its date of issue lies in the future. Check your clock."},
	Expired:              {"有効期限が切れています。", "It has expired."},
	ExpiresBeforeIssue:   {"有効期限が発行日時より前です。", "It expires before it was issued."},
	SignerNotYetValid:    {"署名者の証明書はまだ有効ではありません。", "The signer's certificate is not valid yet."},
	SignerExpired:        {"署名者の証明書の期限が切れています。", "The signer's certificate has expired."},
	AuthorityNotYetValid: {"国の認証局の証明書はまだ有効ではありません。", "The certificate of the country's authority is not valid yet."},
	AuthorityExpired:     {"国の認証局の証明書の期限が切れています。", "The certificate of the country's authority has expired."},

	NotRevoked:       {"失効していません。", "It has not been revoked."},
	SignerNotRevoked: {"署名者の証明書は失効していません。この種類のコードには、一枚ごとの失効を確認する仕組みがありません。", "The signer has not been revoked. Whether this one certificate was withdrawn cannot be checked: codes of this kind have no list of single ones."},
	NoList:           {"この鍵には失効リストがありません。", "There is no revocation list for this key."},
	ListMissing:      {"失効リストが手元にないため、失効しているかどうか分かりません。", "The revocation list is not here, so whether it was revoked is not known."},
	ListNotCurrent:   {"手元の失効リストは検査時点のものではないため、失効しているかどうか分かりません。", "The revocation list is out of date, so whether it was revoked is not known."},
	SignerRevoked:    {"署名者の証明書は失効しています。", "The signer's certificate has been revoked."},
	CardRevoked:      {"この証明書は失効しています。", "It has been revoked."},
	Revoked:          {"発行者がこの証明書を失効させています。", "The issuer has revoked this certificate."},
	Superseded:       {"新しい証明書に差し替えられています。新しい証明書の提示を求めてください。", "It was superseded: ask for the newer certificate."},
	StatusUnknown:    {"手元の失効リストが古いため(48時間超)、失効しているかどうか分かりません。信頼リストを更新してください。", "The revocation list is more than 48 hours old: status unknown. Renew the trust list."},

	TrustFresh:      {"信頼リストは最新です。", "The trust list is recent."},
	TrustOld:        {"信頼リストが古くなっています。更新してください。", "The trust list is old. Renew it."},
	TrustUndated:    {"信頼リストの作成日時が分かりません。", "When the trust list was made is not known."},
	TrustBeforeCode: {"この証明書は信頼リストより後に発行されています。信頼リストを更新して、もう一度確認してください。", "It was issued after the trust list was made. Renew the list and check again."},

	InIssuanceLog:     {"発行者の発行記録にあります。", "The issuer's log of what it issued has it."},
	NotInIssuanceLog:  {"署名は正しいのに、発行者の発行記録にありません。盗まれた鍵で作られた偽造のおそれがあります。発行されたばかりなら、少し後でもう一度確認してください。", "The signature is right, but the issuer's log of what it issued does not have it. It may be forged with a stolen key. If it was issued minutes ago, check again a little later."},
	IssuanceLogOld:    {"手元の発行記録より後に発行されたかもしれないため、発行されたものかどうか分かりません。信頼リストを更新してください。", "It may be younger than the issuance log that is here, so whether it was issued is not known. Renew the trust list."},
	BeforeIssuanceLog: {"発行記録が始まる前の日付なので、発行されたものかどうか分かりません。", "It says to be older than the issuance log, so whether it was issued is not known."},
	IssuanceLogPart:   {"発行記録のうち必要な部分が手元にありません。", "The part of the issuance log that could have it is not here."},
	NoIssuanceLog:     {"この鍵の発行記録は手元にありません。", "No issuance log of this key is here."},

	ContentGood:      {"内容に問題はありません。", "The content is in order."},
	ContentRules:     {"内容が国際規格の決まりに合っていません。", "The content breaks the rules of the international standard."},
	ContentWrong:     {"内容に問題があるため、接種の証明になりません。", "The content is not in order; it proves no vaccination."},
	NoPatient:        {"接種を受けた人が書かれていません。", "It names no person."},
	SeveralPatients:  {"二人以上の人が書かれています。", "It names more than one person."},
	NoName:           {"氏名が書かれていません。", "It has no name."},
	NoDose:           {"接種の記録が書かれていません。", "It tells of no vaccination."},
	DoseNotCompleted: {"完了していない接種が含まれています。", "A dose was not completed."},
	DoseSubpotent:    {"効力が不足していた接種が含まれています。", "A dose was too weak to count."},
	DoseWithoutCode:  {"ワクチンの種類が書かれていない接種があります。", "A dose does not tell the vaccine."},
	DoseWithoutDate:  {"接種日が書かれていない接種があります。", "A dose has no date."},
	DoseOfNobody:     {"誰の接種か分からない記録があります。", "It is not clear to whom a dose was given."},

	NotVaccination: {"検査結果などの証明であり、接種の証明ではありません。", "It is a proof of a test or the like, not of vaccination."},
	UnknownMembers: {"このプログラムの知らない項目が含まれています。", "It has entries that this program does not know."},

	shc.NoteWhiteSpace:  {"余分な空白があります。", "There are needless blanks."},
	shc.NoteChunks:      {"複数のコードに分割されています(廃止された方式)。", "It is split over several codes, which is no longer done."},
	shc.NoteChunkHeader: {"一つのコードに分割の表示があります。", "A single code says that it is a part of several."},

	shc.NoteSymbolVersion:  {"QRコードが規格より大きく作られています。", "The QR code is larger than the standard allows."},
	shc.NoteSymbolSegments: {"QRコードの符号化の方法が規格と異なります。", "The QR code is not encoded the way the standard says."},

	HealthEncoding:  {"コードの文字の並びが正しくありません。読み取り直してください。", "The characters of the code are wrong. Scan it again."},
	HealthInflate:   {"コードの内容を展開できません。途中で切れているか、壊れています。", "The content of the code cannot be unpacked; it is cut off or damaged."},
	HealthStructure: {"コードの内容の形式が正しくありません。", "The content of the code is not put together correctly."},
	HealthMessage:   {"コードの署名の入れ物の形式が正しくありません。", "The envelope of the signature is not put together correctly."},
	HealthClaims:    {"発行者や日時の書き方が正しくありません。", "Issuer or dates are not written correctly."},

	KeysWithdrawn: {"署名を確認するための鍵は公開されていません。表示のみで、証明にはなりません。", "The keys to check the signature are not published any more. It is shown only and proves nothing."},
	KeyNotListed:  {"署名の鍵は、この国の信頼リストにありません。取り消された鍵か、偽造のおそれがあります。信頼リストを更新して、もう一度確認してください。", "The key is not on the list of this country: it was withdrawn, or it is forged. Renew the trust list and check again."},

	ExpiryMissing: {"有効期限が書かれていません。", "It does not say when it expires."},
	NotYetInForce: {"証明の効力はまだ始まっていません。", "It is not in force yet."},
	CodeToRenew:   {"コードの有効期限が切れています。接種の証明は失われていません。発行者に新しいコードを求めてください。", "The code has expired; the vaccination still counts. Ask for a new code from the issuer."},
	SignerListed:  {"署名者は信頼リストに載っています。この証明書一枚だけの失効は確認していません。", "The signer is on the list. Whether this one certificate was withdrawn was not checked."},

	ContentUnknown:        {"このプログラムの知らない種類の内容です。", "This program does not know this kind of content."},
	ContentIncomplete:     {"必要な項目が欠けています。", "A required part is missing."},
	SeveralEvents:         {"一枚に二つ以上の接種や検査が書かれています。", "It holds more than one vaccination, test or recovery."},
	EventInFuture:         {"接種や検査の日付が未来です。", "The vaccination or test lies in the future."},
	TestPositive:          {"本物ですが、検査は陽性です。", "It is authentic, but the test found the virus."},
	TestWithoutResult:     {"検査の結果が読み取れません。", "It does not tell the result of the test."},
	RecoveryNotYet:        {"回復の証明の期間はまだ始まっていません。", "The period of this recovery has not begun."},
	RecoveryOver:          {"回復の証明の期間は終わっています。", "The period of this recovery is over."},
	ProductNotInCatalogue: {"ワクチンが世界保健機関の承認品の一覧にありません。一覧を更新するか、ほかの記録を確認してください。", "The product is not in the catalogue of what WHO approved. Update the catalogue, or look at other records."},
	TooRecent:             {"黄熱の接種から10日がたっていないため、まだ有効ではありません。", "Vaccinated against yellow fever fewer than 10 days ago: not valid yet."},
	TemplateUnknown:       {"新しい様式のため、このプログラムでは判断できません。内容を人の目で確かめてください。", "Its template is newer than this program, which cannot decide. Look at the content yourself."},
	LinkOnly:              {"記録へのリンクだけで、接種の証明ではありません。リンクは自動では開きません。", "It holds only a link to records and proves no vaccination. The link is never followed."},
	DraftFormat:           {"世界保健機関の最初の草案の形式で、もう信頼されていません。表示のみです。", "This is the format of a first draft of WHO, which nobody trusts any more. It is shown only."},

	BreaksSchema:       {"欧州の規則にない書き方の項目があります。", "Some entries are not written as the European rules say."},
	CoreDataSet:        {"世界保健機関の共通項目の形式です。", "It has the format of WHO's core data set."},
	AuthorityDiffers:   {"発行機関の国が署名者の国と一致しません。", "The authority named is not of the signer's country."},
	ExpiresAfterSigner: {"有効期限が署名者の証明書の期限より後になっています。", "It expires later than the signer's certificate."},
	IssuedBeforeSigner: {"署名者の証明書が始まる前の発行日時です。", "It was issued before the signer's certificate began."},
	LinkDoubtful:       {"リンクの宛先に疑わしい点があります。開かないでください。", "The address of the link is doubtful. Do not follow it."},

	hcert.NoteNoExpiry:          {"コードに有効期限がありません。", "The code has no end date."},
	hcert.NoteFloatTime:         {"日時が小数で書かれています。", "A time is written as a fraction."},
	hcert.NoteHeaderUnprotected: {"署名の方式または鍵の名が署名に守られていません。", "The signature does not cover how or by which key it was signed."},
	hcert.NoteOldGeneration:     {"古い草案の形式で書かれています。", "It is written in the format of an older draft."},
	hcert.NoteUnknownTemplate:   {"様式の版をこのプログラムは知りません。", "This program does not know the version of its template."},
	hcert.NoteAfterIssue:        {"発行日より後の接種が書かれています。", "The dose was given after the date of issue."},
	hcert.NoteBeforeApproval:    {"ワクチンが承認される前の接種です。", "The dose was given before WHO approved the product."},
	hcert.NoteNoGuardian:        {"未成年者なのに、保護者の名がありません。", "It is of a minor and names no parent or guardian."},
	hcert.NoteNoDocument:        {"旅券などの番号がないため、本人の書類と照合できません。", "It names no travel document to compare it with."},

	vdsnc.NoteArray:             {"データの外側に余分な括弧があります。", "There are needless brackets around the data."},
	vdsnc.NotePartialBirthDate:  {"生年月日の一部が不明です。", "The date of birth is known in part only."},
	vdsnc.NoteCharacters:        {"国際規格にない文字が使われています。", "It has characters that the international standard does not list."},
	vdsnc.WarnDoseBeforeBirth:   {"接種日が生年月日より前です。", "A dose was given before the date of birth."},
	vdsnc.WarnFutureDate:        {"未来の日付があります。", "A date lies in the future."},
	vdsnc.WarnBeforeVaccine:     {"ワクチンがまだなかった日の接種があります。", "A dose was given before there was a vaccine."},
	vdsnc.WarnRepeatedNumber:    {"同じ回数の接種が二つあります。", "Two doses have the same number."},
	vdsnc.WarnSigningPeriodOver: {"署名鍵の使用期間は終わっています(証明書は有効です)。", "The period in which the key signs is over; certificates made before stay valid."},
}
