package office

// Permission is what a route or an act demands (S-024); role.go says who has it.
type Permission string

const (
	ReadApplications  Permission = "applications.read"
	WriteApplications Permission = "applications.write"
	Decide            Permission = "applications.decide"
	Override          Permission = "applications.override"
	ReadRecords       Permission = "records.read"       // doses, and the people who fit, of one application
	AcceptMany        Permission = "applications.batch" // lets another person bring in many

	ReadCertificates Permission = "certificates.read"
	Issue            Permission = "certificates.issue"
	IssueAfterHours  Permission = "certificates.issue.after_hours"
	Print            Permission = "certificates.print"
	PrintMany        Permission = "certificates.print.bulk" // lets another person have many printed
	Revoke           Permission = "certificates.revoke"
	RevokeMany       Permission = "certificates.revoke.bulk"
	ReissueMany      Permission = "certificates.reissue.bulk"
	Verify           Permission = "verify"

	ReadImports   Permission = "imports.read"
	WriteImports  Permission = "imports.write"
	CommitImports Permission = "imports.commit"
	Exchange      Permission = "exchange"

	EnterNumber Permission = "numbers.enter" // inside a case
	SeeNumber   Permission = "numbers.see"   // inside a case; masked but in the step that needs it

	RequestExport  Permission = "exports.request"
	ApproveExport  Permission = "exports.approve"
	CarryOutExport Permission = "exports.carry_out"

	ReadAccounts    Permission = "accounts.read"
	RequestAccount  Permission = "accounts.request"
	ApproveAccount  Permission = "accounts.approve"
	CarryOutAccount Permission = "accounts.carry_out"
	DisableAccount  Permission = "accounts.disable"
	WriteRoster     Permission = "roster.write"
	CommitRoster    Permission = "roster.commit"

	ReadApprovals   Permission = "approvals.read"
	AskApproval     Permission = "approvals.ask"
	DecideApprovals Permission = "approvals.decide"

	ReadOffice      Permission = "office.read"
	SetOffice       Permission = "office.settings"
	ApproveSettings Permission = "office.settings.approve"
	SuspendOffice   Permission = "office.suspend"

	ReadTerminals    Permission = "terminals.read"
	WriteTerminals   Permission = "terminals.write" // asks for one and registers it; revokes one alone
	ApproveTerminals Permission = "terminals.approve"

	ReadStatistics Permission = "statistics.read"

	ReadKeys     Permission = "keys.read"
	RequestKeys  Permission = "keys.request"
	ApproveKeys  Permission = "keys.approve"
	CarryOutKeys Permission = "keys.carry_out"

	ReadOwnLog       Permission = "log.own"
	ReadUnitLog      Permission = "log.unit"
	ReadTechnicalLog Permission = "log.technical"
	ReadLog          Permission = "log.read" // all of the office
	ReadAlerts       Permission = "alerts.read"
	// RequestAdmission and the next two are for an entry that came late (log.admit).
	RequestAdmission  Permission = "log.admit.request"
	ApproveAdmission  Permission = "log.admit.approve"
	CarryOutAdmission Permission = "log.admit.carry_out"
	CloseAlerts       Permission = "alerts.acknowledge"
	// OfficeAlerts is needed besides for those of the office, which are about its staff.
	OfficeAlerts Permission = "alerts.office"
	// InstallationAlerts is needed besides to see to those of no office.
	InstallationAlerts Permission = "alerts.installation"

	Backup          Permission = "backup"
	RequestErasure  Permission = "erasure.request"
	ApproveErasure  Permission = "erasure.approve"
	CarryOutErasure Permission = "erasure.carry_out"
)
