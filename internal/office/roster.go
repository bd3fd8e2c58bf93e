package office

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
)

// RosterState of a roster that was handed in.
type RosterState string

const (
	RosterStaged    RosterState = "staged"
	RosterCommitted RosterState = "committed"
	RosterExpired   RosterState = "expired" // nobody applied it in time; the file is erased
)

// StagedLasts is how long a file that was handed in waits to be applied: as long as its
// approval can be given and used. Then it is erased.
const StagedLasts = 2 * ApprovalLasts

// Roster is a list of the present staff of an office, compared with its accounts
//
type Roster struct {
	Office, ID  string
	State       RosterState
	SHA256      string
	Result      RosterResult
	CreatedBy   string
	CreatedAt   time.Time
	CommittedBy string
	CommittedAt time.Time
}

// RosterResult is what the comparison found, with row ids of accounts.
type RosterResult struct {
	Rows           int      `json:"rows"`
	Listed         int      `json:"listed"`           // accounts that are in the roster with the same unit
	Leavers        []string `json:"leavers"`          // accounts that are not in it: disabled
	Moved          []string `json:"moved"`            // accounts whose unit is another: disabled
	DisabledBefore []string `json:"disabled_before"`  // not in it, and disabled already
	WithoutAccount int      `json:"without_account"`  // people in it who have none
	NoOfficerLeft  bool     `json:"no_officer_left"`  // applying it would leave nobody to approve anything
	Suspicious     bool     `json:"looks_incomplete"` // so many would be disabled that people have to look
}

// maxRoster bounds the lines of a roster, which has some hundred.
const maxRoster = 10_000

// rosterLine is one person of a roster.
type rosterLine struct{ user, unit string }

// readRoster reads the columns user_id, name and unit, UTF-8, with their names in
// the first line. It refuses the whole file on the first broken line: a roster
// that is read by halves would disable the other half.
func readRoster(file []byte) ([]rosterLine, error) {
	bad := func(key string, line int) error {
		return fault.New(fault.Invalid, key, "file").With("line", strconv.Itoa(line))
	}
	file = bytes.TrimPrefix(file, []byte("\ufeff"))
	if !utf8.Valid(file) {
		return nil, bad("roster_encoding", 1)
	}
	r := csv.NewReader(bytes.NewReader(file))
	r.FieldsPerRecord = 3
	head, err := r.Read()
	if err != nil || !slices.Equal(head, []string{"user_id", "name", "unit"}) {
		return nil, bad("roster_file", 1)
	}
	var lines []rosterLine
	seen := map[string]bool{}
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var broken *csv.ParseError // of which the reader knows no position of a field
		if errors.As(err, &broken) {
			return nil, bad("roster_line", broken.Line)
		}
		at, _ := r.FieldPos(0)
		if len(lines) == maxRoster {
			return nil, bad("roster_line", at)
		}
		l := rosterLine{strings.TrimSpace(cells[0]), strings.TrimSpace(cells[2])}
		if l.user == "" || l.unit == "" || seen[l.user] {
			return nil, bad("roster_line", at)
		}
		seen[l.user] = true
		lines = append(lines, l)
	}
	if len(lines) == 0 {
		return nil, bad("roster_line", 2)
	}
	return lines, nil
}

// compare finds leavers and people who moved. An account that can still do
// something counts; one that ended does not.
func compare(lines []rosterLine, accounts []Staff, now time.Time) RosterResult {
	unit := map[string]string{}
	for _, l := range lines {
		unit[l.user] = l.unit
	}
	result := RosterResult{Rows: len(lines), WithoutAccount: len(lines)}
	officers, live := 0, 0
	for _, p := range accounts {
		is, listed := unit[p.User]
		if listed {
			result.WithoutAccount--
		}
		if p.State == SuspendedAccount || p.ended(now) {
			if !listed {
				result.DisabledBefore = append(result.DisabledBefore, p.ID)
			}
			continue
		}
		live++
		switch {
		case !listed:
			result.Leavers = append(result.Leavers, p.ID)
		case is != p.Unit:
			result.Moved = append(result.Moved, p.ID)
		default:
			result.Listed++
			if p.Role == Officer {
				officers++
			}
		}
	}
	result.NoOfficerLeft = officers == 0
	gone := len(result.Leavers) + len(result.Moved)
	result.Suspicious = result.NoOfficerLeft || gone > 3 && gone*4 > live
	return result
}

// RosterStore keeps rosters; its methods run inside an act.
type RosterStore interface {
	AddRoster(ctx context.Context, r Roster, file []byte) error
	Roster(ctx context.Context, office, id string) (Roster, error) // fault NotFound "roster"
	Rosters(ctx context.Context, office, before string, limit int) ([]Roster, error)
	RosterFile(ctx context.Context, office, id string) ([]byte, error)
	// CommitRoster stores the result of a staged one and erases the file; fault
	// Conflict "roster_state".
	CommitRoster(ctx context.Context, r Roster) error
	// StaleRosters returns those that are staged since before a time; needs no act.
	StaleRosters(ctx context.Context, office string, before time.Time) ([]string, error)
	ExpireRoster(ctx context.Context, office, id string) error // fault Conflict "roster_state"; erases the file
}

// Rosters is the comparison of accounts with the staff that there is.
type Rosters struct {
	Log       *audit.Log
	Store     RosterStore
	Staff     StaffStore
	Keeper    AccountKeeper
	Approvals *Approvals
	Clock     clock.Clock
	IDs       idgen.Gen
}

// Stage reads a roster and reports what it would do; nobody is disabled yet.
func (s *Rosters) Stage(ctx context.Context, a actor.Actor, file []byte, once *audit.Once) (Roster, error) {
	r, err := s.read(ctx, a, file)
	if err != nil {
		return r, err
	}
	e := audit.Entry{Action: "roster.stage", Object: r.ID, Once: once}
	return r, s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error {
		if err := s.Store.AddRoster(ctx, r, file); err != nil {
			return err
		}
		_, err := s.Approvals.Ask(ctx, a, ApplyRoster, r.ID, r.parameters())
		return err
	})
}

func (r Roster) parameters() map[string]string { return map[string]string{"sha256": r.SHA256} }

func (s *Rosters) read(ctx context.Context, a actor.Actor, file []byte) (Roster, error) {
	lines, err := readRoster(file)
	if err != nil {
		return Roster{}, err
	}
	accounts, err := s.Staff.ListStaff(ctx, a.Office)
	sum := sha256.Sum256(file)
	return Roster{
		Office: a.Office, ID: s.IDs.Row(), State: RosterStaged, SHA256: hex.EncodeToString(sum[:]),
		Result: compare(lines, accounts, s.Clock.Now()), CreatedBy: a.Person, CreatedAt: s.now(),
	}, err
}

// Commit disables leavers and people who moved, as a second person has approved.
func (s *Rosters) Commit(ctx context.Context, a actor.Actor, id string) (r Roster, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "roster.commit", Object: id}, func(ctx context.Context, e *audit.Entry) (err error) {
		if r, err = s.Store.Roster(ctx, a.Office, id); err != nil {
			return err
		}
		if r.State != RosterStaged {
			return fault.New(fault.Conflict, "roster_state", "")
		}
		if err := s.Approvals.UseOrApprove(ctx, a, ApplyRoster, id, Digest(r.parameters())); err != nil {
			return err
		}
		file, err := s.Store.RosterFile(ctx, a.Office, id)
		if err != nil {
			return err
		}
		return s.apply(ctx, a, &r, file, e)
	})
	return r, err
}

// apply compares once more, as of now, and disables.
func (s *Rosters) apply(ctx context.Context, a actor.Actor, r *Roster, file []byte, e *audit.Entry) error {
	lines, err := readRoster(file)
	if err != nil {
		return err
	}
	accounts, err := s.Staff.ListStaff(ctx, a.Office)
	if err != nil {
		return err
	}
	r.Result = compare(lines, accounts, s.Clock.Now())
	if r.Result.NoOfficerLeft {
		return fault.New(fault.Conflict, "roster_no_officer", "")
	}
	for i, id := range slices.Concat(r.Result.Leavers, r.Result.Moved) {
		if err := s.Keeper.Suspend(ctx, a.Office, id); err != nil {
			return err
		}
		e.Fact("disabled "+strconv.Itoa(i+1), id)
	}
	r.State, r.CommittedBy, r.CommittedAt = RosterCommitted, a.Person, s.now()
	return s.Store.CommitRoster(ctx, *r)
}

// Arrive takes a roster that the staff system has put into the directory. It is
// applied at once, without people, unless so many would be disabled that it
// seems cut off: then it waits for two people. The same file again does nothing, unless
// nobody applied it in time.
func (s *Rosters) Arrive(ctx context.Context, a actor.Actor, file []byte) (r Roster, err error) {
	if r, err = s.read(ctx, a, file); err != nil {
		return r, err
	}
	err = s.Log.Act(ctx, a, audit.Entry{Action: "roster.arrive", Object: r.ID}, func(ctx context.Context, e *audit.Entry) error {
		last, err := s.Store.Rosters(ctx, a.Office, "", 1)
		if err != nil {
			return err
		}
		if len(last) == 1 && last[0].SHA256 == r.SHA256 && last[0].State != RosterExpired {
			r = last[0]
			return nil
		}
		if err := s.Store.AddRoster(ctx, r, file); err != nil {
			return err
		}
		if r.Result.Suspicious {
			_, err := s.Approvals.Ask(ctx, a, ApplyRoster, r.ID, r.parameters())
			e.Fact("waits", "looks_incomplete")
			return err
		}
		return s.apply(ctx, a, &r, file, e)
	})
	return r, err
}

// Expire ends what nobody applied in time, and erases its file. It returns how many.
func (s *Rosters) Expire(ctx context.Context, a actor.Actor) (n int, err error) {
	old, err := s.Store.StaleRosters(ctx, a.Office, s.now().Add(-StagedLasts))
	for _, id := range old {
		failed := s.Log.Act(ctx, a, audit.Entry{Action: "roster.expire", Object: id}, func(ctx context.Context, _ *audit.Entry) error {
			return s.Store.ExpireRoster(ctx, a.Office, id)
		})
		if err = errors.Join(err, failed); failed == nil {
			n++
		}
	}
	return n, err
}

// List returns rosters, newest first.
func (s *Rosters) List(ctx context.Context, a actor.Actor, before string, limit int) (list []Roster, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "roster.list"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Store.Rosters(ctx, a.Office, before, limit)
		return err
	})
	return list, err
}

// Get reads a roster with its result.
func (s *Rosters) Get(ctx context.Context, a actor.Actor, id string) (r Roster, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "roster.read", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		r, err = s.Store.Roster(ctx, a.Office, id)
		return err
	})
	return r, err
}

func (s *Rosters) now() time.Time { return s.Clock.Now().Truncate(time.Millisecond) }
