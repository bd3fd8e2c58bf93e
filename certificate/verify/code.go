package verify

// Codes of facets. They are stable; sentences.json explains each, and says what to do next.
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

	// departure, which is asked for apart
	PolioInWindow       = "polio_in_window"
	PolioIfUrgent       = "polio_if_urgent"
	PolioTooOld         = "polio_too_old"
	PolioAfterDeparture = "polio_after_departure"
	PolioOtherDose      = "polio_other_dose"
	NoDepartureRule     = "no_departure_rule"
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
