// Package issuance holds the use cases around a certificate: issue, reissue,
// revoke, print, recover. It is the only caller of a signer.
//
// The order never changes: compose, draft, lint, intent, sign, self-check with the
// published keys, commit. What is signed was stored
// first, byte for byte; what is released was read back first. A process that
// dies between two steps leaves an intent that Recover finishes or fails.
package issuance

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/singleflight"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/certificate/pdf"
	"akashi/certificate/qr"
	"akashi/certificate/trust"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/signing"
)

// State of a certificate.
type State string

const (
	Prepared   State = "prepared" // intent stored, nothing released
	Issued     State = "issued"
	Superseded State = "superseded"
	Revoked    State = "revoked"
	Failed     State = "failed" // never released; the ID is not used again
)

// transitions is every legal step of a certificate.
var transitions = map[State][]State{
	Prepared:   {Issued, Failed},
	Issued:     {Superseded, Revoked},
	Superseded: {Revoked},
}

// CanMove tells whether a certificate may go from one state to another.
func CanMove(from, to State) bool {
	return slices.Contains(transitions[from], to)
}

// Issue is a certificate as the store keeps it.
type Issue struct {
	Certificate   certificate.Certificate
	ApplicationID string
	PersonKey     string
	State         State
	Payloads      []Payload
	Doses         []application.DoseRef // the record versions it certifies
	SupersededBy  string
	Cause         string // why it was made in place of another: a code
	Corrected     bool   // the record that it certifies was corrected or withdrawn since
	Reason        string // why revoked or failed: a code
	Copies        int
	PreparedAt    time.Time
	ClosedAt      time.Time // when it left the state issued, or failed
	RenewBy       time.Time // when the first of its codes expires; zero: none does
}

// Families are those of its codes, each once, in printing order. It needs no content: only an
// EU certificate makes one for travel expire.
func (i Issue) Families() []certificate.Family {
	families := i.Certificate.Kind.Families()
	if i.Certificate.Kind == certificate.Travel && !i.RenewBy.IsZero() {
		families = append(families, certificate.DCC)
	}
	return families
}

// Payload is one signed code, or before signing the bytes to sign.
type Payload struct {
	Number   int
	Family   certificate.Family
	Dose     int // number of the one dose that it shows; 0: it shows all
	KeyID    string
	StatusID string // rid of an SHC, cti of an HC1 code; empty where the family has none
	ToSign   []byte
	Text     string // exact text of the code; empty until issued
}

// Filter selects certificates for a list, newest first; Before is the ID of the last one of the page before.
type Filter struct {
	Application string
	Persons     []string // of the register, on whose records the applications rest
	Corrected   bool     // issued ones only, whose record was corrected or withdrawn since
	State       State
	RenewBefore time.Time // issued ones of which a code expires before
	Before      string
	Limit       int
}

// Store keeps certificates. Its methods run inside an act unless they say otherwise.
type Store interface {
	// Basis returns what a certificate is made from: the application, its office as it
	// is now, and the register to ask. It runs inside a look.
	Basis(ctx context.Context, code, applicationID string) (application.Application, office.Office, vaccination.Register, error)
	Offices(ctx context.Context) ([]string, error)                                       // no act needed
	Application(ctx context.Context, office, id string) (application.Application, error) // in a look, too
	SaveApplication(ctx context.Context, a *application.Application) error

	// Prepare stores the intent. Fault Conflict "version" when the application is not of
	// that version any more or erased, "issue_in_progress" when it has another open
	// intent or a live certificate of the kind that the new one does not supersede.
	Prepare(ctx context.Context, i Issue, applicationVersion int) error
	// Claim takes an intent prepared or last claimed before the given time;
	// fault Conflict "claimed" if another node was faster.
	Claim(ctx context.Context, office, id string, before time.Time) error
	// Commit stores the texts and makes it issued and its predecessor superseded, or
	// tells one that was revoked who follows it;
	// fault Conflict "not_prepared" if it is no longer prepared.
	Commit(ctx context.Context, i Issue) error
	// CloseIssue moves it to failed or revoked with a reason.
	CloseIssue(ctx context.Context, office, id string, from []State, to State, reason string) error
	// Issue returns a certificate; fault NotFound, of which "erased" comes with what
	// is left of one whose person was erased. It runs inside a look, too.
	Issue(ctx context.Context, office, id string) (Issue, error)
	// LiveIssue is Issue for the issued certificate of an application.
	LiveIssue(ctx context.Context, office, applicationID string) (Issue, error)
	// InProgress tells whether an intent of the application is open. It runs inside a look, too.
	InProgress(ctx context.Context, office, applicationID string) (bool, error)
	Issues(ctx context.Context, office string, f Filter) ([]Issue, error) // without payloads and content
	// IssuedOn returns the ids of those still valid among so many of a day, in the order of their
	// numbers: what ends leaves its place empty, so that no other comes to stand elsewhere.
	IssuedOn(ctx context.Context, office string, day clock.Date, skip, limit int) ([]string, error)
	AddCopy(ctx context.Context, office string, c Copy, by string) error   // fault Conflict "copy_number" if taken
	Copy(ctx context.Context, office, id string, number int) (Copy, error) // no act needed; fault NotFound
	Copies(ctx context.Context, office, id string) ([]Copy, error)         // by ascending number

	OpenIntents(ctx context.Context, office string, before time.Time) ([]string, error) // no act needed
	TakeNumbers(ctx context.Context, office, counter string, n int) (first int, err error)
	SigningKeys(ctx context.Context) ([]signing.Key, error) // no act needed
}

// Identity is under what name this installation issues.
type Identity struct {
	SHCIssuer   string // iss
	VDSNCIssuer string // Doc 9303 code: UTO for TEST, JPN; also the participant of HC1 codes
	Test        bool
}

// Signer signs what an intent holds, and nothing else. A place is reserved before an intent
// is stored, so that none waits for keys that are overrun.
type Signer interface {
	Reserve(ctx context.Context) (with context.Context, leave func(), err error)
	Sign(ctx context.Context, office, certificateID string) ([]signing.Signature, error)
}

// Service is the use cases.
type Service struct {
	Log          *audit.Log
	Store        Store
	Applications *application.Service
	Signer       Signer
	Paper        *signing.PaperSigner                         // signs printed pages of offices that have a key for it; may be nil
	Published    func(context.Context) (*trust.Bundle, error) // the keys as verifiers get them
	Digests      func(office, value string) [][]byte          // of a value under a key of the office; several while that key is being changed, the one to give first
	Catalogue    *catalogue.Catalogue
	Renderer     *pdf.Renderer
	Identity     Identity
	Clock        clock.Clock
	IDs          idgen.Gen
	// Point is called at each named point between the steps; tests stop or kill
	// the process there. Nil in production.
	Point func(name string)
	// Damage spoils a symbol before it is read back; only tests set it.
	Damage func(*qr.Matrix) *qr.Matrix

	numbers numberBlocks
	single  singleflight.Group
	drawn   drawn
}

func (s *Service) point(name string) {
	if s.Point != nil {
		s.Point(name)
	}
}

var errInProgress = fault.New(fault.Conflict, "issue_in_progress", "")
