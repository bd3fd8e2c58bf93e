package server

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/issuance"
)

// certificateBody is a certificate as the register of certificates knows it:
// nothing of the person.
type certificateBody struct {
	ID           string         `json:"id"`
	Kind         string         `json:"kind"`
	Programme    string         `json:"programme"`
	State        issuance.State `json:"state"`
	Application  string         `json:"application"`
	IssuedOn     string         `json:"issued_on" doc:"date in Japan"`
	IssuedAt     time.Time      `json:"issued_at"`
	Families     []string       `json:"families" doc:"of its codes"`
	Copies       int            `json:"copies" doc:"printed so far"`
	Supersedes   string         `json:"supersedes,omitempty"`
	SupersededBy string         `json:"superseded_by,omitempty"`
	Cause        string         `json:"cause,omitempty" doc:"why it was made in place of another"`
	Corrected    bool           `json:"corrected,omitempty" doc:"it is issued, and the record that it certifies was corrected or withdrawn since"`
	Reason       string         `json:"reason,omitempty" doc:"why revoked or failed"`
	ClosedAt     time.Time      `json:"closed_at,omitzero"`
	RenewBy      time.Time      `json:"renew_by,omitzero" doc:"when the first of its codes expires; what it certifies stays true"`
}

type certificateList struct {
	Certificates []certificateBody `json:"certificates"`
	Next         string            `json:"next,omitempty" doc:"cursor of the next page"`
}

type codesBody struct {
	ID    string     `json:"id"`
	Codes []codeBody `json:"codes"`
}

type codeBody struct {
	Family string `json:"family"`
	Dose   int    `json:"dose,omitempty" doc:"number of the one dose that it shows; absent: all"`
	KeyID  string `json:"key_id"`
	Text   string `json:"text" doc:"exact text of the code"`
}

type whyBody struct {
	Reason string `json:"reason" maxLength:"40"`
}

type printsBody struct {
	Certificates []string `json:"certificates" minItems:"1" maxItems:"100"`
}

func certificateOf(i issuance.Issue) certificateBody {
	c := i.Certificate
	b := certificateBody{
		ID: c.ID, Kind: string(c.Kind), Programme: c.Programme, State: i.State, Application: i.ApplicationID,
		IssuedOn: string(c.IssuedOn), IssuedAt: c.IssuedAt, Copies: i.Copies, Supersedes: c.Supersedes, SupersededBy: i.SupersededBy,
		Cause: i.Cause, Corrected: i.Corrected, Reason: i.Reason, ClosedAt: i.ClosedAt, RenewBy: i.RenewBy, Families: []string{},
	}
	for _, f := range i.Families() {
		b.Families = append(b.Families, string(f))
	}
	return b
}

func issued(i issuance.Issue) (answer, error) {
	return answer{body: certificateOf(i), header: map[string]string{"Location": prefix + "/certificates/" + i.Certificate.ID}}, nil
}

// maxRenewDays is how far ahead the codes that expire are listed; none lasts longer than
// two years.
const maxRenewDays = 732

func (s *Server) listCertificates(c *call) (answer, error) {
	limit, before, err := c.page(certificateForm)
	if err != nil {
		return answer{}, err
	}
	f := issuance.Filter{Application: c.query.Get("application"), State: issuance.State(c.query.Get("state")), Before: before, Limit: limit}
	states := []issuance.State{issuance.Prepared, issuance.Issued, issuance.Superseded, issuance.Revoked, issuance.Failed}
	if err := known(f.State, states, "state"); err != nil {
		return answer{}, err
	}
	if f.Application != "" && !rowForm.MatchString(f.Application) {
		return answer{}, fault.New(fault.Invalid, "unknown_value", "application")
	}
	if err := known(c.query.Get("corrected"), []string{"true"}, "corrected"); err != nil {
		return answer{}, err
	}
	f.Corrected = c.query.Get("corrected") != ""
	if text := c.query.Get("renew_within"); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 1 || days > maxRenewDays {
			return answer{}, fault.New(fault.Invalid, "unknown_value", "renew_within")
		}
		f.RenewBefore = s.Clock.Now().AddDate(0, 0, days)
	}
	list, err := s.Issuance.List(c.ctx, c.actor, f)
	if err != nil {
		return answer{}, err
	}
	out := certificateList{Certificates: []certificateBody{}}
	for _, i := range list {
		out.Certificates = append(out.Certificates, certificateOf(i))
	}
	if len(list) == limit {
		out.Next = list[limit-1].Certificate.ID
	}
	return value(out)
}

func (s *Server) getCertificate(c *call) (answer, error) {
	id, err := s.certificateID(c)
	if err != nil {
		return answer{}, err
	}
	i, err := s.Issuance.Get(c.ctx, c.actor, id)
	if err != nil {
		return answer{}, err
	}
	return value(certificateOf(i))
}

func (s *Server) getCodes(c *call) (answer, error) {
	id, err := s.certificateID(c)
	if err != nil {
		return answer{}, err
	}
	i, err := s.Issuance.Codes(c.ctx, c.actor, id)
	if err != nil {
		return answer{}, err
	}
	b := codesBody{ID: id, Codes: []codeBody{}}
	for _, p := range i.Payloads {
		b.Codes = append(b.Codes, codeBody{Family: string(p.Family), Dose: p.Dose, KeyID: p.KeyID, Text: p.Text})
	}
	return value(b)
}

const cardType = "application/smart-health-card"

func (s *Server) getCard(c *call) (answer, error) {
	id, err := s.certificateID(c)
	if err != nil {
		return answer{}, err
	}
	file, err := s.Issuance.Card(c.ctx, c.actor, id)
	return attachment(file, cardType, "certificate-"+id+".smart-health-card"), err
}

func (s *Server) reissueCertificate(c *call) (answer, error) {
	id, why, err := s.why(c)
	if err != nil {
		return answer{}, err
	}
	i, err := s.Issuance.Reissue(c.ctx, c.actor, id, why)
	if err != nil {
		return answer{}, err
	}
	return issued(i)
}

func (s *Server) revokeCertificate(c *call) (answer, error) {
	id, why, err := s.why(c)
	if err != nil {
		return answer{}, err
	}
	i, err := s.Issuance.Revoke(c.ctx, c.actor, id, why)
	if err != nil {
		return answer{}, err
	}
	return value(certificateOf(i))
}

func (s *Server) why(c *call) (id, reason string, err error) {
	if id, err = s.certificateID(c); err != nil {
		return "", "", err
	}
	b, err := decode[whyBody](c)
	return id, b.Reason, err
}

// printCertificate prints one certificate as a new copy.
func (s *Server) printCertificate(c *call) (answer, error) {
	id, err := s.certificateID(c)
	if err != nil {
		return answer{}, err
	}
	return s.print(c, []string{id})
}

// printCertificates prints several certificates into one file.
func (s *Server) printCertificates(c *call) (answer, error) {
	b, err := decode[printsBody](c)
	if err != nil {
		return answer{}, err
	}
	seen := map[string]bool{}
	for n, id := range b.Certificates {
		switch {
		case !certificateForm.MatchString(id):
			return answer{}, s.refusal(c, fault.New(fault.NotFound, "certificate", ""))
		case seen[id]:
			return answer{}, fault.New(fault.Invalid, "repeated_value", fmt.Sprintf("certificates[%d]", n))
		}
		seen[id] = true
	}
	return s.print(c, b.Certificates)
}

func (s *Server) print(c *call, ids []string) (answer, error) {
	if err := s.lookUp(c, len(ids)); err != nil {
		return answer{}, err
	}
	return s.once(c, func(o *audit.Once) (answer, error) {
		file, copies, err := s.Issuance.Print(c.ctx, c.actor, ids, o)
		if err != nil {
			return answer{}, err
		}
		return printed(file, copies), nil
	}, func(object string) (answer, error) {
		copies, err := issuance.ParseCopies(object)
		if err != nil {
			return answer{}, err
		}
		file, err := s.Issuance.ReprintAll(c.ctx, c.actor, copies)
		return printed(file, copies), err
	})
}

// printed is a file with the copy numbers in a header: "ID/number", comma between.
func printed(file []byte, copies []issuance.Copy) answer {
	list := make([]string, len(copies))
	for i, c := range copies {
		list[i] = c.String()
	}
	name := fmt.Sprintf("certificates-%d.pdf", len(copies))
	if len(copies) == 1 {
		name = copyName(copies[0])
	}
	a := attachment(file, "application/pdf", name)
	a.header["Certificate-Copies"] = strings.Join(list, ", ")
	if len(copies) == 1 {
		a.header["Location"] = fmt.Sprintf("%s/certificates/%s/prints/%d", prefix, copies[0].CertificateID, copies[0].Number)
	}
	return a
}

func copyName(c issuance.Copy) string {
	return fmt.Sprintf("certificate-%s-copy-%d.pdf", c.CertificateID, c.Number)
}

// printBody is one print of a certificate.
type printBody struct {
	Number int       `json:"number" doc:"of the copy, as printed"`
	At     time.Time `json:"at"`
	By     string    `json:"by" doc:"user id of who printed it"`
	Paper  string    `json:"paper" doc:"where the same bytes are"`
}

type printList struct {
	Certificate certificateBody `json:"certificate"`
	Prints      []printBody     `json:"prints" doc:"by ascending number"`
}

// listPrints tells what was printed of a certificate, when and by whom.
func (s *Server) listPrints(c *call) (answer, error) {
	id, err := s.certificateID(c)
	if err != nil {
		return answer{}, err
	}
	i, copies, err := s.Issuance.Copies(c.ctx, c.actor, id)
	if err != nil {
		return answer{}, err
	}
	b := printList{certificateOf(i), []printBody{}}
	for _, made := range copies {
		b.Prints = append(b.Prints, printBody{made.Number, made.At, made.By, fmt.Sprintf("%s/certificates/%s/prints/%d", prefix, id, made.Number)})
	}
	return value(b)
}

func (s *Server) getPrint(c *call) (answer, error) {
	id, err := s.certificateID(c)
	if err != nil {
		return answer{}, err
	}
	number, err := strconv.Atoi(c.param("number"))
	if err != nil || strconv.Itoa(number) != c.param("number") {
		return answer{}, s.refusal(c, fault.New(fault.NotFound, "copy", ""))
	}
	one := issuance.Copy{CertificateID: id, Number: number}
	file, err := s.Issuance.Reprint(c.ctx, c.actor, id, number)
	a := printed(file, []issuance.Copy{one})
	a.status = http.StatusOK
	return a, err
}
