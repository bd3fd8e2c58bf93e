package issuance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/signing"
)

// Copy is one print of a certificate.
type Copy struct {
	CertificateID string
	Number        int
	Layout        string
	File          string         // all copies of the file it was printed in, as copyList writes them
	SHA256        string         // of the file, hex
	Signature     PaperSignature // of the file; zero where the office has no paper key
	At            time.Time      // when it was made
	By            string         // user id of who made it, or the name of a job or command
}

// PaperSignature is what is kept of a file's signature: with it the same file is
// made again, when the key may long be retired.
type PaperSignature struct {
	KeyID string
	At    time.Time
	Value []byte
}

// String is "ID/number", as the log names a print.
func (c Copy) String() string { return c.CertificateID + "/" + strconv.Itoa(c.Number) }

// copyList names a file by its copies, with blanks between.
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

// maxPrints bounds how many certificates one PDF holds.
const maxPrints = 100

// printTries bounds how often a copy number is tried again after somebody else took it.
const printTries = 10

var errCopyTaken = fault.New(fault.Conflict, "copy_number", "")

// Print makes one PDF of the certificates, each with a copy number of its own,
// signed where the office has a paper key. The file is made first and stored by
// its digest; a number that somebody else took meanwhile makes it anew.
func (s *Service) Print(ctx context.Context, a actor.Actor, ids []string, once *audit.Once) (file []byte, copies []Copy, err error) {
	if len(ids) == 0 || len(ids) > maxPrints {
		return nil, nil, fault.New(fault.Invalid, "count", "certificates").With("max", strconv.Itoa(maxPrints))
	}
	for range printTries {
		file, copies, err = s.printOnce(ctx, a, ids, once)
		if !errors.Is(err, errCopyTaken) {
			return file, copies, err
		}
	}
	return nil, nil, err
}

func (s *Service) printOnce(ctx context.Context, a actor.Actor, ids []string, once *audit.Once) (file []byte, copies []Copy, err error) {
	err = s.eachSeen(ctx, a, ids, nil, func(ctx context.Context, seen []Issue) error {
		file, copies, err = s.printSeen(ctx, a, seen, once)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return file, copies, nil
}

// eachSeen looks at further certificates, one after the other, and then acts on all.
func (s *Service) eachSeen(ctx context.Context, a actor.Actor, ids []string, seen []Issue, act func(ctx context.Context, seen []Issue) error) error {
	if len(ids) == 0 {
		return act(ctx, seen)
	}
	if !idForm.MatchString(ids[0]) {
		return errNoCertificate
	}
	var i Issue
	return s.Log.Look(ctx, a, audit.Entry{Action: "certificate.read", Object: ids[0]}, func(ctx context.Context, _ *audit.Entry) (err error) {
		i, err = s.permitted(ctx, a, ids[0])
		return err
	}, func(ctx context.Context) error {
		if i.State != Issued {
			return stateConflict(i)
		}
		return s.eachSeen(ctx, a, ids[1:], append(seen, i), act)
	})
}

// printSeen makes the file and stores its copies.
func (s *Service) printSeen(ctx context.Context, a actor.Actor, seen []Issue, once *audit.Once) ([]byte, []Copy, error) {
	var pages []pdf.Page
	var copies []Copy
	for _, i := range seen {
		page, err := s.page(i, i.Copies+1)
		if err != nil {
			return nil, nil, err
		}
		pages = append(pages, page)
		copies = append(copies, Copy{CertificateID: i.Certificate.ID, Number: page.Copy, Layout: i.Certificate.Layout})
	}
	file, signature, err := s.sheet(ctx, a.Office, copies, pages)
	if err != nil {
		return nil, nil, err
	}
	sum := sha256.Sum256(file)
	e := audit.Entry{Action: "certificate.print", Object: copyList(copies), Once: once}
	for n := range copies {
		copies[n].File, copies[n].SHA256, copies[n].Signature = e.Object, hex.EncodeToString(sum[:]), signature
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

// Copies reads a certificate and its copies, by ascending number; the look-up is logged.
func (s *Service) Copies(ctx context.Context, a actor.Actor, id string) (i Issue, copies []Copy, err error) {
	i, err = s.readWith(ctx, a, id, "certificate.read", func(ctx context.Context) error {
		copies, err = s.Store.Copies(ctx, a.Office, id)
		return err
	})
	if err != nil {
		return Issue{}, nil, err
	}
	return i, copies, nil
}

// Reprint makes the bytes of an earlier copy again, without a new number.
func (s *Service) Reprint(ctx context.Context, a actor.Actor, id string, number int) ([]byte, error) {
	return s.ReprintAll(ctx, a, []Copy{{CertificateID: id, Number: number}})
}

// ReprintAll makes the bytes of a file of several copies again. A page that was
// printed in another file is a file of its own.
func (s *Service) ReprintAll(ctx context.Context, a actor.Actor, copies []Copy) ([]byte, error) {
	if len(copies) == 0 {
		return nil, fault.New(fault.NotFound, "copy", "")
	}
	var pages []pdf.Page
	var first Copy
	for n, c := range copies {
		page, err := s.pageOf(ctx, a, c.CertificateID, c.Number)
		if err != nil {
			return nil, err
		}
		pages = append(pages, page)
		if n > 0 {
			continue
		}
		if first, err = s.Store.Copy(ctx, a.Office, c.CertificateID, c.Number); err != nil {
			return nil, err
		}
	}
	if first.File != copyList(copies) {
		file, _, err := s.sheet(ctx, a.Office, copies, pages)
		return file, err
	}
	if first.Signature.KeyID == "" {
		return s.render(pages)
	}
	key, err := s.key(ctx, first.Signature.KeyID)
	if err != nil {
		return nil, err
	}
	unsigned, err := s.Renderer.Prepare(pdf.Signatory{Certificate: key.Certificate, At: first.Signature.At}, pages...)
	if err != nil {
		return nil, err
	}
	return unsigned.Complete(first.Signature.Value)
}

// pageOf reads an issued certificate and makes the page of a copy again.
func (s *Service) pageOf(ctx context.Context, a actor.Actor, id string, number int) (pdf.Page, error) {
	i, err := s.read(ctx, a, id, "certificate.reprint")
	switch {
	case err != nil:
		return pdf.Page{}, err
	case number < 1 || number > i.Copies:
		return pdf.Page{}, fault.New(fault.NotFound, "copy", "")
	case i.State != Issued:
		return pdf.Page{}, stateConflict(i)
	}
	return s.page(i, number)
}

func (s *Service) page(i Issue, number int) (pdf.Page, error) {
	page := pdf.Page{Certificate: i.Certificate, Copy: number, RenewBy: i.RenewBy}
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
		page.Codes = append(page.Codes, pdf.Code{Family: p.Family, Dose: p.Dose, Matrix: matrix})
	}
	return page, nil
}

// sheet makes a file, signed where the office has a paper key, and reads the
// text of its layer back before anybody gets it (step 12, S-058).
func (s *Service) sheet(ctx context.Context, office string, copies []Copy, pages []pdf.Page) ([]byte, PaperSignature, error) {
	key, ok, err := s.paperKey(ctx, office)
	if err != nil || !ok {
		file, err := s.render(pages)
		return file, PaperSignature{}, err
	}
	names := make([]signing.PaperCopy, len(copies))
	for n, c := range copies {
		names[n] = signing.PaperCopy{CertificateID: c.CertificateID, Number: c.Number}
	}
	signed, err := s.Paper.Sign(ctx, office, names, key.ID)
	if err != nil {
		return nil, PaperSignature{}, fault.New(fault.Unavailable, "signing_later", "").With("certificate", copies[0].CertificateID).Because(err)
	}
	return signed.File, PaperSignature{signed.KeyID, signed.At, signed.Value}, s.readBack(signed.File, pages)
}

func (s *Service) render(pages []pdf.Page) ([]byte, error) {
	file, err := s.Renderer.Render(pages...)
	if err != nil {
		return nil, err
	}
	return file, s.readBack(file, pages)
}

func (s *Service) readBack(file []byte, pages []pdf.Page) error {
	if err := s.Renderer.Verify(file, pages...); err != nil {
		return fault.New(fault.Internal, "page_check", "").Because(err)
	}
	return nil
}

// paperKey is the key that signs the office's paper now, if it has one.
func (s *Service) paperKey(ctx context.Context, office string) (signing.Key, bool, error) {
	if s.Paper == nil {
		return signing.Key{}, false, nil
	}
	return s.oneKey(ctx, signing.Paper, office)
}

// Unsigned implements signing.Papers: pages of issued certificates as they are
// stored, and nothing else, come to be signed (S-062).
func (s *Service) Unsigned(ctx context.Context, office string, copies []signing.PaperCopy, by signing.Key, at time.Time) (signing.Unsigned, error) {
	a := actor.Actor{Office: office, Person: "job:paper", Terminal: "jobs", Purpose: actor.Certificate}
	var pages []pdf.Page
	for _, c := range copies {
		i, err := s.read(ctx, a, c.CertificateID, "certificate.sign_paper")
		if err != nil {
			return nil, err
		}
		if i.State != Issued || c.Number < 1 || c.Number > i.Copies+1 {
			return nil, stateConflict(i)
		}
		page, err := s.page(i, c.Number)
		if err != nil {
			return nil, err
		}
		pages = append(pages, page)
	}
	return s.Renderer.Prepare(pdf.Signatory{Certificate: by.Certificate, At: at}, pages...)
}
