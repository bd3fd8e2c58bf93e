package issuance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/certificate/shc"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
)

// RevokeReasons are the reasons for which a certificate is revoked.
func RevokeReasons() []string {
	return []string{"wrong_content", "wrong_person", "record_withdrawn", "holder_request", "issued_by_mistake", "fraud"}
}

var reissueReasons = []string{"new_dose", "correction", "lost", "new_name", "record_withdrawn"}

// ReissueReasons are the reasons for which a certificate is made again.
func ReissueReasons() []string { return reissueReasons }

// stateConflict says that a certificate is not in the state that is needed.
func stateConflict(i Issue) error {
	return fault.New(fault.Conflict, "certificate_state", "").With("state", string(i.State)).With("certificate", i.Certificate.ID)
}

func known(list []string, value, field string) error {
	for _, v := range list {
		if v == value {
			return nil
		}
	}
	return fault.New(fault.Invalid, "unknown_value", field).With("allowed", strings.Join(list, ", "))
}

// Get reads a certificate; the look-up is logged.
func (s *Service) Get(ctx context.Context, a actor.Actor, id string) (i Issue, err error) {
	return s.read(ctx, a, id, "certificate.read")
}

var idForm = regexp.MustCompile(`^[2-9A-HJ-NP-Z]{12}$`)

func (s *Service) read(ctx context.Context, a actor.Actor, id, action string) (i Issue, err error) {
	if !idForm.MatchString(id) {
		return i, fault.New(fault.NotFound, "certificate", "")
	}
	err = s.Log.Act(ctx, a, audit.Entry{Action: action, Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		i, err = s.Store.Issue(ctx, a.Office, id)
		return err
	})
	return i, err
}

// List returns certificates without content, by descending ID.
func (s *Service) List(ctx context.Context, a actor.Actor, f Filter) (list []Issue, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "certificate.list"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Store.Issues(ctx, a.Office, f)
		return err
	})
	return list, err
}

// Reissue makes a new certificate from the record as it is now; it supersedes
// the old one in the same commit.
func (s *Service) Reissue(ctx context.Context, a actor.Actor, id, reason string) (Issue, error) {
	if err := known(reissueReasons, reason, "reason"); err != nil {
		return Issue{}, err
	}
	old, err := s.read(ctx, a, id, "certificate.read")
	if err != nil {
		return Issue{}, err
	}
	if old.State != Issued {
		return Issue{}, stateConflict(old)
	}
	made, _, err := s.issueNew(context.WithoutCancel(ctx), a.For(old.ApplicationID), old.ApplicationID, id, &change{reason})
	return made, err
}

// Revoke ends one certificate with a reason. Other certificates are not touched.
func (s *Service) Revoke(ctx context.Context, a actor.Actor, id, reason string) (i Issue, err error) {
	if err := known(RevokeReasons(), reason, "reason"); err != nil {
		return i, err
	}
	e := audit.Entry{Action: "certificate.revoke", Object: id}
	e.Fact("reason", reason)
	err = s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error {
		if i, err = s.Store.Issue(ctx, a.Office, id); err != nil {
			return err
		}
		if !CanMove(i.State, Revoked) {
			return stateConflict(i)
		}
		return s.Store.CloseIssue(ctx, a.Office, id, []State{i.State}, Revoked, reason)
	})
	if err == nil {
		i.State, i.Reason, i.ClosedAt = Revoked, reason, s.Clock.Now()
	}
	return i, err
}

// maxPrints bounds how many certificates one PDF holds.
const maxPrints = 100

// printTries bounds how often a copy number is tried again after somebody else took it.
const printTries = 10

// Print makes one PDF of the certificates, each with a copy number of its own.
// The file is made first and stored by its digest; a number that somebody else
// took meanwhile makes it anew.
func (s *Service) Print(ctx context.Context, a actor.Actor, ids []string, once *audit.Once) (file []byte, copies []Copy, err error) {
	if len(ids) == 0 || len(ids) > maxPrints {
		return nil, nil, fault.New(fault.Invalid, "count", "certificates").With("max", "100")
	}
	for range printTries {
		file, copies, err = s.printOnce(ctx, a, ids, once)
		if !errors.Is(err, errCopyTaken) {
			return file, copies, err
		}
	}
	return nil, nil, err
}

var errCopyTaken = fault.New(fault.Conflict, "copy_number", "")

func (s *Service) printOnce(ctx context.Context, a actor.Actor, ids []string, once *audit.Once) ([]byte, []Copy, error) {
	var pages []pdf.Page
	var copies []Copy
	for _, id := range ids {
		i, err := s.read(ctx, a, id, "certificate.read")
		if err != nil {
			return nil, nil, err
		}
		if i.State != Issued {
			return nil, nil, stateConflict(i)
		}
		page, err := s.page(i, i.Copies+1)
		if err != nil {
			return nil, nil, err
		}
		pages = append(pages, page)
		copies = append(copies, Copy{CertificateID: id, Number: i.Copies + 1, Layout: i.Certificate.Layout})
	}
	file, err := s.render(pages)
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(file)
	e := audit.Entry{Action: "certificate.print", Object: copyList(copies), Once: once}
	for n := range copies {
		copies[n].SHA256 = hex.EncodeToString(sum[:])
		e.Fact("copy "+copies[n].CertificateID, copies[n].SHA256)
	}
	err = s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error {
		for _, c := range copies {
			if err := s.Store.AddCopy(ctx, a.Office, c, a.Person); err != nil {
				return err
			}
		}
		return nil
	})
	return file, copies, err
}

// Reprint makes the bytes of an earlier copy again, without a new number.
func (s *Service) Reprint(ctx context.Context, a actor.Actor, id string, number int) ([]byte, error) {
	return s.ReprintAll(ctx, a, []Copy{{CertificateID: id, Number: number}})
}

// ReprintAll makes the bytes of a file of several copies again.
func (s *Service) ReprintAll(ctx context.Context, a actor.Actor, copies []Copy) ([]byte, error) {
	var pages []pdf.Page
	for _, c := range copies {
		i, err := s.read(ctx, a, c.CertificateID, "certificate.reprint")
		if err != nil {
			return nil, err
		}
		if c.Number < 1 || c.Number > i.Copies {
			return nil, fault.New(fault.NotFound, "copy", "")
		}
		if i.State != Issued {
			return nil, stateConflict(i)
		}
		page, err := s.page(i, c.Number)
		if err != nil {
			return nil, err
		}
		pages = append(pages, page)
	}
	return s.render(pages)
}

// String is "ID/number", as the log names a print.
func (c Copy) String() string { return c.CertificateID + "/" + strconv.Itoa(c.Number) }

// copyList is the object of a print: the copies made, with blanks between.
func copyList(copies []Copy) string {
	list := make([]string, len(copies))
	for n, c := range copies {
		list[n] = c.String()
	}
	return strings.Join(list, " ")
}

// ParseCopies reads the object of a print, so that the same bytes can be made again.
func ParseCopies(object string) (copies []Copy, err error) {
	for _, text := range strings.Fields(object) {
		id, number, _ := strings.Cut(text, "/")
		c := Copy{CertificateID: id}
		if c.Number, err = strconv.Atoi(number); err != nil {
			return nil, fmt.Errorf("issuance: not a list of copies: %w", err)
		}
		copies = append(copies, c)
	}
	return copies, nil
}

func (s *Service) page(i Issue, number int) (pdf.Page, error) {
	page := pdf.Page{Certificate: i.Certificate, Copy: number}
	for _, p := range i.Payloads {
		f, err := s.family(p.Family)
		if err != nil {
			return page, err
		}
		matrix := s.drawn.take(p.Text)
		if matrix == nil {
			if matrix, err = symbol(f, p.Text); err != nil {
				return page, err
			}
		}
		page.Codes = append(page.Codes, pdf.Code{Family: p.Family, Matrix: matrix})
	}
	return page, nil
}

// render makes the file and reads the text of its layer back before anybody
// gets it (step 12, S-058).
func (s *Service) render(pages []pdf.Page) ([]byte, error) {
	file, err := s.Renderer.Render(pages...)
	if err != nil {
		return nil, err
	}
	if err := s.Renderer.Verify(file, pages...); err != nil {
		return nil, fault.New(fault.Internal, "page_check", "").Because(err)
	}
	return file, nil
}

// Codes reads the exact texts of a certificate's codes.
func (s *Service) Codes(ctx context.Context, a actor.Actor, id string) (Issue, error) {
	i, err := s.read(ctx, a, id, "certificate.codes")
	if err == nil && i.State != Issued {
		err = stateConflict(i)
	}
	return i, err
}

// Card returns the certificate's health card as a .smart-health-card file.
func (s *Service) Card(ctx context.Context, a actor.Actor, id string) ([]byte, error) {
	i, err := s.Codes(ctx, a, id)
	if err != nil {
		return nil, err
	}
	for _, p := range i.Payloads {
		if p.Family == certificate.SHC {
			return CardFile(p.Text)
		}
	}
	return nil, fault.New(fault.NotFound, "card", "")
}

// CardFile turns the text of a health card's code into a card file.
func CardFile(text string) ([]byte, error) {
	jws, _, err := shc.FromNumeric(text)
	if err != nil {
		return nil, err
	}
	return shc.File(jws), nil
}
