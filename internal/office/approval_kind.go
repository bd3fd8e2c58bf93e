package office

import (
	"maps"
	"slices"

	"akashi/internal/actor"
	"akashi/internal/fault"
)

// Kind of a dangerous act (S-029): it is done with another person's approval only.
type Kind string

const (
	GenerateKey       Kind = "key.generate"
	ActivateKey       Kind = "key.activate"
	RetireKey         Kind = "key.retire"
	RevokeBulk        Kind = "certificates.revoke"
	ReissueBulk       Kind = "certificates.reissue"
	MailBulk          Kind = "certificates.mail"
	BatchBulk         Kind = "applications.batch"
	RekeyVault        Kind = "numbers.rekey"
	OverrideRetention Kind = "retention.override"
	Erase             Kind = "person.erase"
	EraseDue          Kind = "retention.erase" // what a list says was kept long enough
	MakeAccount       Kind = "account.make"
	MakeOfficer       Kind = "account.officer" // a new officer, or somebody who becomes one
	ChangeAccount     Kind = "account.change"
	EnableAccount     Kind = "account.enable"
	RecoverAccount    Kind = "account.recover"
	CommitImport      Kind = "import.commit"
	WithdrawImport    Kind = "import.withdraw" // of one that was applied
	ApplyRoster       Kind = "roster.commit"
	ChangeSettings    Kind = "office.settings"
	ResumeOffice      Kind = "office.resume"
	AddTerminal       Kind = "terminal.add"
	AdmitEntry        Kind = "log.admit" // of the log, that came after its time was signed for
)

// DangerousAct says who asks for an act, who approves it and who carries it out.
type DangerousAct struct {
	Ask, Approve, CarryOut Permission
	// Third demands that a third person carries it out.
	Third bool
	// AboutStaff tells that the object is a member of staff, who may then neither
	// ask, nor approve, nor carry out.
	AboutStaff bool
	// AboutPerson tells that the object is a person of the register; the same for
	// who is that person or of its household.
	AboutPerson bool
	// ByUseCase tells that the use case asks, since the approval is bound to more
	// than a person could write down.
	ByUseCase bool
	// Unattended tells that a file asks by arriving: asking needs no step-up.
	Unattended bool
}

// ByThird tells whether neither who asked nor who approves may carry it out: so it is, too,
// where the command line asked, as it is nobody of the office.
func (d DangerousAct) ByThird(requestedBy string) bool { return d.Third || requestedBy == Command }

// dangerousActs are all of them; what is not here needs no second person, and
// what is here cannot be done without one.
var dangerousActs = map[Kind]DangerousAct{
	GenerateKey:       {Ask: RequestKeys, Approve: ApproveKeys, CarryOut: CarryOutKeys},
	ActivateKey:       {Ask: RequestKeys, Approve: ApproveKeys, CarryOut: CarryOutKeys},
	RetireKey:         {Ask: RequestKeys, Approve: ApproveKeys, CarryOut: CarryOutKeys},
	RekeyVault:        {Ask: RequestKeys, Approve: ApproveKeys, CarryOut: CarryOutKeys},
	RevokeBulk:        {Ask: RevokeMany, Approve: RevokeMany, CarryOut: RevokeMany, ByUseCase: true},
	ReissueBulk:       {Ask: ReissueMany, Approve: ReissueMany, CarryOut: ReissueMany, ByUseCase: true},
	MailBulk:          {Ask: Issue, Approve: PrintMany, CarryOut: PrintMany, ByUseCase: true},
	BatchBulk:         {Ask: WriteApplications, Approve: AcceptMany, CarryOut: AcceptMany, ByUseCase: true},
	OverrideRetention: {Ask: RequestErasure, Approve: ApproveErasure, CarryOut: CarryOutErasure, AboutPerson: true},
	EraseDue:          {Ask: RequestErasure, Approve: ApproveErasure, CarryOut: CarryOutErasure},
	Erase:             {Ask: RequestErasure, Approve: ApproveErasure, CarryOut: CarryOutErasure, AboutPerson: true},
	MakeAccount:       {Ask: RequestAccount, Approve: ApproveAccount, CarryOut: CarryOutAccount, Third: true, ByUseCase: true},
	MakeOfficer:       {Ask: ApproveAccount, Approve: ApproveAccount, CarryOut: CarryOutAccount, Third: true, AboutStaff: true, ByUseCase: true},
	ChangeAccount:     {Ask: RequestAccount, Approve: ApproveAccount, CarryOut: CarryOutAccount, Third: true, AboutStaff: true, ByUseCase: true},
	EnableAccount:     {Ask: RequestAccount, Approve: ApproveAccount, CarryOut: CarryOutAccount, Third: true, AboutStaff: true, ByUseCase: true},
	RecoverAccount:    {Ask: ApproveAccount, Approve: ApproveAccount, CarryOut: ApproveAccount, AboutStaff: true},
	CommitImport:      {Ask: WriteImports, Approve: CommitImports, CarryOut: CommitImports, ByUseCase: true, Unattended: true},
	WithdrawImport:    {Ask: ReadImports, Approve: CommitImports, CarryOut: CommitImports},
	ApplyRoster:       {Ask: WriteRoster, Approve: CommitRoster, CarryOut: CommitRoster, ByUseCase: true, Unattended: true},
	ChangeSettings:    {Ask: SetOffice, Approve: ApproveSettings, CarryOut: SetOffice, ByUseCase: true},
	AddTerminal:       {Ask: WriteTerminals, Approve: ApproveTerminals, CarryOut: WriteTerminals, ByUseCase: true},
	AdmitEntry:        {Ask: RequestAdmission, Approve: ApproveAdmission, CarryOut: CarryOutAdmission},
	ResumeOffice:      {Ask: SuspendOffice, Approve: ApproveSettings, CarryOut: SuspendOffice},
}

// Kinds lists the kinds of dangerous acts.
func Kinds() []Kind { return slices.Sorted(maps.Keys(dangerousActs)) }

// Act returns what the table says of a kind; fault Invalid for an unknown one.
func (k Kind) Act() (DangerousAct, error) {
	d, ok := dangerousActs[k]
	if !ok {
		return d, fault.OneOf("kind", k, Kinds()...)
	}
	return d, nil
}

// may refuses somebody without the permission, and the person concerned.
func (d DangerousAct) may(a actor.Actor, p Permission, object string) error {
	switch {
	case !a.May(string(p)):
		return fault.New(fault.Forbidden, "permission", "")
	case d.AboutStaff && object == a.Person, d.AboutPerson && slices.Contains(a.Kin, object):
		return fault.New(fault.Forbidden, "own_case", "")
	}
	return nil
}
