package server

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/office"
	"akashi/samples"
)

const sakurai = `{"ticket_number":"0000000001","birth_date":"1991-02-18"}` // of the first sample person

// testKin meets the routes by which a household is noted, well and refused.
func (f *fixture) testKin(t *testing.T) {
	f.want(t, f.do(f.clerk, "POST", "/account/kin", `{"ticket_number":"0000000001","birth_date":"1991-02-19"}`), 404, "person") // two items, not one (S-031)
	path := "/accounts/" + f.Officer.Person + "/kin"
	f.want(t, f.do(f.clerk, "POST", path, sakurai), 403, "permission")
	f.want(t, f.do(f.officer, "POST", "/account/kin", sakurai), 204, "")
	f.want(t, f.do(f.officer, "POST", path, sakurai), 204, "") // once more
	f.want(t, f.do(f.officer, "DELETE", path, ""), 403, "own_case")
	f.want(t, f.do(f.officers(t, 1)[0], "DELETE", path, ""), 204, "")
}

// S-028, S-029: nobody reads, decides, issues, prints or revokes for oneself or the
// own household: found by the account's name, as the subject and as the applicant,
// and by the persons that are noted for the account. Another clerk does.
func TestOwnCase(t *testing.T) {
	f := newFixture(t)
	app, cert := f.approved(t, certificate.Domestic), f.issued(t, certificate.Domestic)
	f.want(t, f.do(f.clerk, "POST", certificatePath(cert, "/prints"), ""), 201, "")
	forMother := strings.Replace(form(certificate.Domestic), `{"relationship":"self"}`, `{"name":{"family":"桜井","given":"花"},"proof":"family_register","relationship":"parent"}`, 1)
	r := f.do(f.clerk, "POST", "/applications", forMother)
	f.want(t, r, 201, "")
	child := r.json(t)["id"].(string)
	f.want(t, f.do(f.clerk, "POST", "/applications/"+child+"/submit", ""), 200, "")
	r = f.do(f.clerk, "POST", "/applications/"+child+"/certificate", "")
	f.want(t, r, 201, "")
	childCert := r.json(t)["id"].(string)

	member := func(name, user string, role office.Role) string {
		p := f.Person(t, f.Clerk.Office+"-"+user, role)
		f.Act(t, p.Office, func(ctx context.Context) error {
			_, err := f.World.Accounts.Change(ctx, p.Office, p.ID, func(s *office.Staff) { s.Name = name })
			return err
		})
		return f.SignIn(t, f.Clerk.Office+"-"+user, role)
	}
	refuses := func(t *testing.T, application, certificate string, roles func(office.Role) string) {
		t.Helper()
		tried := 0
		for _, role := range []office.Role{office.Clerk, office.Approver} {
			session := roles(role)
			for _, r := range f.routes() {
				path, body := strings.TrimPrefix(r.path, prefix), bodyOf[r.id]
				switch {
				case r.id == "print-certificates":
					body = `{"certificates":["` + certificate + `"]}`
				case strings.HasPrefix(path, "/applications/{id}"):
					path = strings.Replace(path, "{id}", application, 1)
				case strings.HasPrefix(path, "/certificates/{id}"):
					path = strings.NewReplacer("{id}", certificate, "{number}", "1").Replace(path)
				default:
					continue
				}
				got := f.do(session, r.method, path, body)
				if got.code() == "permission" {
					continue
				}
				tried++
				if r.id == "enter-number" && got.status/100 == 4 { // is refused for other reasons before
					continue
				}
				if got.status != 403 || got.code() != "own_case" || strings.Contains(string(got.body), "桜井") {
					t.Errorf("%s of %s: %d %.200s", r.id, role, got.status, got.body)
				}
			}
		}
		if tried < 2*13 {
			t.Errorf("only %d routes tried", tried)
		}
	}
	t.Run("error/oneself", func(t *testing.T) {
		refuses(t, app, cert, func(role office.Role) string { return member("櫻井　澪", "self-"+string(role), role) })
		session := member("桜井 澪", "self-again", office.Clerk)
		f.want(t, f.do(session, "POST", "/applications", form(certificate.Domestic)), 403, "own_case")
	})
	t.Run("error/for a child", func(t *testing.T) {
		refuses(t, child, childCert, func(role office.Role) string { return member("桜井 花", "mother-"+string(role), role) })
	})
	t.Run("error/noted household", func(t *testing.T) {
		kin := func(role office.Role) string {
			session := member("別 姓", "kin-"+string(role), role)
			f.want(t, f.do(session, "POST", "/account/kin", sakurai), 204, "")
			return session
		}
		refuses(t, app, cert, kin)
		// A draft without a name: only the register tells whose it is.
		r := f.do(kin(office.Clerk), "POST", "/applications", strings.Replace(form(certificate.Domestic), `"name":{"family":"桜井","given":"澪"},`, "", 1))
		f.want(t, r, 201, "")
		f.want(t, f.do(kin(office.Clerk), "POST", "/applications/"+r.json(t)["id"].(string)+"/submit", ""), 403, "own_case")
	})
	t.Run("error/under another ticket and name", func(t *testing.T) {
		noted := member("別 姓", "kin-before", office.Clerk)
		f.want(t, f.do(noted, "POST", "/account/kin", sakurai), 204, "")
		csv, err := samples.Files.ReadFile("subjects.csv")
		if err != nil {
			t.Fatal(err)
		}
		r := f.do(f.clerk, "POST", "/imports/subjects", string(csv)+f.Clerk.Office+",0000009001,100001,佐藤,澪,サトウ,ミオ,1991-02-18,2,resident,\n")
		f.want(t, r, 201, "")
		f.want(t, f.do(f.officer, "POST", "/imports/"+r.json(t)["id"].(string)+"/commit", ""), 200, "")
		body := strings.NewReplacer("0000000001", "0000009001", "桜井", "佐藤").Replace(form(certificate.Domestic))
		r = f.do(f.clerk, "POST", "/applications", body)
		f.want(t, r, 201, "")
		path := "/applications/" + r.json(t)["id"].(string)
		f.want(t, f.do(noted, "POST", path+"/submit", ""), 403, "own_case")
		f.want(t, f.do(f.clerk, "POST", path+"/submit", ""), 200, "")
		after := member("別 姓", "kin-after", office.Clerk)
		f.want(t, f.do(after, "POST", "/account/kin", sakurai), 204, "")
		f.want(t, f.do(after, "GET", path, ""), 403, "own_case")
	})
	t.Run("error/among many", func(t *testing.T) {
		kin, again := member("別 姓", "kin-officer", office.Officer), member("別 姓", "kin-approver", office.Approver)
		for _, session := range []string{kin, again} {
			f.want(t, f.do(session, "POST", "/account/kin", sakurai), 204, "")
		}
		one, two := f.approvers(t)
		body := `{"selection":{"issued_from":"` + string(f.World.Clock.Today()) + `"},"reason":"key_compromised"}`
		for _, path := range []string{"/reissues", "/revocations"} {
			f.want(t, f.do(kin, "POST", path, body), 403, "own_case")
			f.want(t, f.do(member("桜井 澪", "self-many", office.Approver), "POST", path, body), 403, "own_case")
			r := f.do(one, "POST", path, body)
			f.want(t, r, 201, "")
			start, approve := path+"/"+r.json(t)["id"].(string)+"/start", "/approvals/"+r.json(t)["approval"].(string)+"/approve"
			f.want(t, f.do(kin, "POST", approve, `{"reason":""}`), 403, "own_case")
			f.want(t, f.do(kin, "POST", start, ""), 403, "own_case") // approving and starting in one
			f.want(t, f.do(two, "POST", approve, `{"reason":""}`), 200, "")
			f.want(t, f.do(again, "POST", start, ""), 403, "own_case")
			f.want(t, f.do(two, "POST", start, ""), 200, "")
		}
	})
	t.Run("ok/another", func(t *testing.T) {
		f.want(t, f.do(f.clerk, "GET", "/applications/"+child, ""), 200, "")
		f.want(t, f.do(f.clerk, "GET", certificatePath(childCert), ""), 200, "")
	})
	t.Run("error/by number", func(t *testing.T) { // the form names somebody else; the number finds the person
		const number = "123456789018"
		r := f.do(f.clerk, "POST", "/imports/subjects", withNumber(t, number))
		f.want(t, r, 201, "")
		f.want(t, f.do(f.officer, "POST", "/imports/"+r.json(t)["id"].(string)+"/commit", ""), 200, "")
		r = f.do(f.clerk, "POST", "/applications", fmt.Sprintf(unknownPerson, `"my_number_card"`))
		f.want(t, r, 201, "")
		path := "/applications/" + r.json(t)["id"].(string)
		f.want(t, f.do(f.clerk, "POST", path+"/submit", ""), 200, "")
		for _, session := range []string{member("桜井 澪", "self-clerk", office.Clerk), member("別 姓", "kin-clerk", office.Clerk)} {
			f.want(t, f.do(session, "POST", path+"/number", shownCard(number)), 403, "own_case")
		}
		f.want(t, f.do(f.clerk, "POST", path+"/number", shownCard(number)), 200, "")
	})
}
