package storybook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

// noRecord is why something was left for a person.
const noRecord = string(fault.Unavailable) + ":record_unavailable"

// act keeps what somebody does in the log, past the use cases.
func (h *hand) act(as office.Role, fn func(ctx context.Context, a actor.Actor) error) {
	h.by(as, func(ctx context.Context, a actor.Actor) error {
		return h.book.app.Log.Act(ctx, a, audit.Entry{Action: "storybook"}, func(ctx context.Context, _ *audit.Entry) error { return fn(ctx, a) })
	})
}

// step lets a job do so much.
func (h *hand) step(job interface {
	Step(ctx context.Context, most int) (int, error)
}, most int) {
	if h.err == nil {
		_, h.err = job.Step(h.ctx, most)
	}
}

// decide approves, refuses or takes back what was asked for: an approval in a state.
func (h *hand) decide(approval string, state office.ApprovalState) {
	as, do := office.Officer, func(ctx context.Context, a actor.Actor) error {
		_, err := h.book.app.Approvals.Refuse(ctx, a, approval, "対象が広すぎます。")
		return err
	}
	switch state {
	case office.Approved:
		do = func(ctx context.Context, a actor.Actor) error {
			_, err := h.book.app.Approvals.Approve(ctx, a, approval, "")
			return err
		}
	case office.Withdrawn:
		as, do = longOfficer, func(ctx context.Context, a actor.Actor) error {
			_, err := h.book.app.Approvals.Withdraw(ctx, a, approval)
			return err
		}
	}
	h.by(as, do)
}

// runs are acts on many certificates, those of one clerk.
type runs struct {
	*hand
	page string
	many *issuance.Many
	why  string
}

func (h *hand) runs() []runs {
	return []runs{
		{h, "/counter/reissues", h.book.app.Reissues, "correction"},
		{h, "/counter/revocations", h.book.app.Revocations, "wrong_content"},
	}
}

// ask asks for a run.
func (r runs) ask() issuance.Bulk { return r.askAs(func(a actor.Actor) actor.Actor { return a }) }

// command asks for it as the operator of the machine.
func (r runs) command() issuance.Bulk {
	return r.askAs(func(a actor.Actor) actor.Actor {
		a.Person, a.Name, a.Kin = office.Command, "", nil
		return a
	})
}

func (r runs) askAs(who func(actor.Actor) actor.Actor) (b issuance.Bulk) {
	r.by(longOfficer, func(ctx context.Context, a actor.Actor) error {
		clerk, err := r.book.app.Store.StaffByUser(ctx, full, userOf(full, longClerk))
		if err == nil {
			b, err = r.many.Ask(ctx, who(a), issuance.Selection{Clerk: clerk.ID}, r.why, nil)
		}
		return err
	})
	return b
}

func (r runs) start(b issuance.Bulk) {
	r.by(office.Officer, func(ctx context.Context, a actor.Actor) error {
		_, err := r.many.Start(ctx, a, b.ID)
		return err
	})
}

func (r runs) seen(state string, b issuance.Bulk) {
	r.story(r.page+"/{id}", state, office.Officer, r.page+"/"+b.ID)
}

// runsOfMany shows the runs. All are asked for before one is begun, as what one has
// made again no other selects.
func runsOfMany(h *hand) {
	for _, r := range h.runs() {
		done, halted, left, refused, withdrawn, running, waits := r.ask(), r.ask(), r.ask(), r.ask(), r.ask(), r.ask(), r.ask()
		commanded, approved := r.command(), r.ask()
		r.start(done)
		h.step(r.many, 100)
		r.seen("finished", done)
		r.start(halted)
		h.step(r.many, 1)
		h.by(office.Officer, func(ctx context.Context, a actor.Actor) error {
			_, err := r.many.Stop(ctx, a, halted.ID)
			return err
		})
		r.seen("stopped", halted)
		r.start(left)
		h.act(office.Officer, func(ctx context.Context, _ actor.Actor) error {
			items, err := h.book.app.Store.OpenItems(ctx, full, r.many.Act, 100)
			for _, item := range items {
				err = errors.Join(err, h.book.app.Store.ItemFailed(ctx, full, item, noRecord, issuance.Tries))
			}
			return err
		})
		r.seen("some left for a person", left)
		h.decide(refused.Approval, office.Refused)
		r.seen("refused", refused)
		h.decide(withdrawn.Approval, office.Withdrawn)
		r.seen("withdrawn", withdrawn)
		r.start(running)
		h.step(r.many, 1)
		r.seen("running", running)
		r.seen("waits for approval", waits)
		h.decide(approved.Approval, office.Approved)
		r.seen("approved", approved)
		h.story(r.page+"/{id}", "one's own, approved", longOfficer, r.page+"/"+approved.ID)
		r.seen("asked for by the operator", commanded)
		h.story(r.page+"/{id}", "one's own", longOfficer, r.page+"/"+waits.ID)
		h.wrong(r.page+"/{id}", "one's own, begun", longOfficer, r.page+"/"+waits.ID+"/start", url.Values{})
		h.wrong(r.page+"/{id}", "stopped too late", office.Officer, r.page+"/"+done.ID+"/stop", url.Values{})
		h.story(r.page, "some", office.Officer, r.page)
		h.wrong(r.page, "nothing selected", office.Officer, r.page, url.Values{"reason": {""}, "selection.issued_from": {"昨日"}})
	}
}

// mailings are sent by post: certificates of applications that came so.
func mailings(h *hand) {
	const page, list = "/counter/mailings/{id}", "/counter/batches"
	app := h.book.app
	seen := func(state, path string) { h.story(page, state, office.Clerk, path) }
	made := func(state string, most int) (path string) {
		for n := range 2 {
			h.byMail(state + strconv.Itoa(n))
		}
		path = h.send(office.Clerk, list+"/mailing", url.Values{"_key": {state}})
		h.step(app.Mailings, most)
		return path
	}
	done := made("finished", 100)
	seen("finished", done)
	halted := made("stopped", 1)
	h.send(office.Clerk, halted+"/stop", url.Values{})
	seen("stopped", halted)
	// What it left goes with the next.
	left := made("left for a person", 1)
	h.act(office.Clerk, func(ctx context.Context, _ actor.Actor) error {
		items, err := app.Store.ToMail(ctx, full, nil, 100)
		for _, item := range items {
			err = errors.Join(err, app.Store.MailFailed(ctx, full, item, noRecord, issuance.Tries))
		}
		return err
	})
	seen("some left for a person", left)
	for _, state := range []office.ApprovalState{office.Refused, office.Withdrawn} {
		m := h.largeMailing(string(state))
		h.decide(m.Approval, state)
		seen(string(state), "/counter/mailings/"+m.ID)
	}
	approved := h.largeMailing("approved")
	h.decide(approved.Approval, office.Approved)
	h.story(page, "approved", office.Officer, "/counter/mailings/"+approved.ID)
	h.story(page, "one's own, approved", longOfficer, "/counter/mailings/"+approved.ID)
	seen("running", made("running", 1))
	waits := "/counter/mailings/" + h.largeMailing("asked for").ID
	seen("waits for approval", waits)
	h.story(page, "to be approved", office.Officer, waits)
	h.story(page, "one's own", longOfficer, waits)
	h.wrong(page, "one's own, begun", longOfficer, waits+"/start", url.Values{})
	h.wrong(page, "stopped too late", office.Clerk, done+"/stop", url.Values{})
	h.story(page, "does not exist", office.Clerk, "/counter/mailings/"+nowhere)
	h.byMail("ready")
	h.story(list, "some wait for the post", office.Clerk, list)
	h.wrong(list, "an empty file", office.Clerk, list+"/file", url.Values{"file": {""}})
}

// byMail is an application that came by post and was approved.
func (h *hand) byMail(key string) (id string) {
	at := h.send(office.Clerk, "/counter", plain("_key", "by mail "+key, "channel", "mail"))
	return at[strings.LastIndexByte(at, '/')+1:]
}

// largeMailing is one for which somebody else is asked, though it is no larger than others.
func (h *hand) largeMailing(key string) (m issuance.Mailing) {
	application := h.byMail(key)
	h.act(longOfficer, func(ctx context.Context, a actor.Actor) error {
		m = issuance.Mailing{Office: full, ID: h.book.app.IDs.Row(), Count: 1, SHA256: strings.Repeat("0", 64), RequestedBy: a.Person, RequestedAt: h.book.now().Truncate(time.Millisecond)}
		p, err := h.book.app.Approvals.Ask(ctx, a, office.MailBulk, m.ID, map[string]string{"count": "101", "ids_sha256": m.SHA256})
		m.Approval = p.ID
		return errors.Join(err, h.book.app.Store.AddMailing(ctx, m, []string{application}))
	})
	return m
}

// batches are files of applications.
func batches(h *hand) {
	const page, list = "/counter/batches/{id}", "/counter/batches/"
	app := h.book.app
	seen := func(state, path string) { h.story(page, state, office.Clerk, path) }
	faulty := h.bring(office.Clerk, row(1)+"国内用,12,"+longFamily+",人,31.2.1991\n")
	seen("with a row that is wrong", faulty)
	h.wrong(page, "all, though one is wrong", office.Clerk, faulty+"/commit", url.Values{"whole:bool": {"true"}})
	whole := h.bring(office.Clerk, row(2))
	seen("all right", whole)
	h.story(page, "of somebody else", office.Officer, whole)

	started := func(rows string, most int) (path string) {
		path = h.bring(office.Clerk, rows)
		h.send(office.Clerk, path+"/commit", url.Values{"whole:bool": {"true"}})
		h.step(app.Batches, most)
		return path
	}
	seen("finished", started(row(3)+row(4), 100))
	left := started(row(5)+row(6), 1)
	h.act(office.Clerk, func(ctx context.Context, _ actor.Actor) error {
		rows, err := app.Store.OpenRows(ctx, full, 100)
		for _, r := range rows {
			err = errors.Join(err, app.Store.RowFailed(ctx, full, r, noRecord, issuance.Tries))
		}
		return err
	})
	seen("some left for a person", left)
	closed := h.bring(office.Clerk, row(7))
	h.send(office.Clerk, closed+"/close", url.Values{})
	seen("its rows are erased", closed)
	for _, state := range []office.ApprovalState{office.Refused, office.Withdrawn} {
		path, approval := h.largeBatch(row(len(state)))
		h.decide(approval, state)
		seen(string(state), path)
	}
	approved, approval := h.largeBatch(row(14))
	h.decide(approval, office.Approved)
	h.story(page, "approved", office.Officer, approved)
	h.story(page, "one's own, approved", longOfficer, approved)
	waits, _ := h.largeBatch(row(10))
	h.story(page, "one's own, waits for approval", longOfficer, waits)
	h.story(page, "to be approved", office.Officer, waits)
	seen("running", started(row(11)+row(12), 1))
	h.story(page, "does not exist", office.Clerk, list+nowhere)
}

// row is a line of a file, about anybody.
func row(n int) string { return fmt.Sprintf("国内用,%010d,桜井,澪,1991-02-18\n", n) }

// bring hands in a file of applications and returns where it is.
func (h *hand) bring(as office.Role, rows string) (path string) {
	brought := h.do(as, func(cookie string) *http.Request {
		return post(h.ctx, cookie, "/api/v1/batches", "text/csv", strings.NewReader("種類,接種券番号,姓,名,生年月日\n"+rows))
	})
	var of struct{ ID string }
	if h.err == nil {
		h.err = json.Unmarshal(brought.Body.Bytes(), &of)
	}
	return "/counter/batches/" + of.ID
}

// largeBatch is one for which somebody else is asked, though it is no larger than others.
func (h *hand) largeBatch(rows string) (path, approval string) {
	path = h.bring(longOfficer, rows)
	h.act(longOfficer, func(ctx context.Context, a actor.Actor) error {
		id := path[strings.LastIndexByte(path, '/')+1:]
		p, err := h.book.app.Approvals.Ask(ctx, a, office.BatchBulk, id, map[string]string{"count": "101"})
		approval = p.ID
		return errors.Join(err, h.book.app.Store.AskBatch(ctx, full, id, approval))
	})
	return path, approval
}

// theDayBefore is what was asked for then and nobody has approved since.
func theDayBefore(h *hand) {
	for n := range 3 {
		application := h.send(longClerk, "/counter", plain("_key", "of one clerk "+strconv.Itoa(n)))
		h.send(longClerk, application+"/issue", url.Values{})
	}
	type story struct{ page, path string }
	var late []story
	for _, r := range h.runs() {
		late = append(late, story{r.page + "/{id}", r.page + "/" + r.ask().ID})
	}
	late = append(late, story{"/counter/mailings/{id}", "/counter/mailings/" + h.largeMailing("too late").ID})
	path, _ := h.largeBatch(row(13))
	late = append(late, story{"/counter/batches/{id}", path})
	request, approval := h.askAccount(longOfficer, "late", "遅い 人")
	late = append(late, story{"/counter/account-requests/{id}", request}, story{"/counter/approvals/{id}", approval})
	for _, s := range slices.Clone(late) {
		h.story(s.page, "nobody approved it in time", office.Officer, s.path)
	}
	h.until(opened)
}

// until lets time pass.
func (h *hand) until(at time.Time) {
	if h.err == nil {
		h.err = h.book.forward(h.ctx, at.Sub(h.book.now()))
	}
}

// weeksBefore is what was handed in then and nobody has applied since.
func weeksBefore(h *hand) {
	file := h.send(office.RegisterClerk, "/counter/imports", url.Values{"kind": {"subjects"}, "file": {furtherSubjects}})
	roster := h.bringRoster(office.Officer, userOf(full, longOfficer))
	h.until(opened.Add(-25 * time.Hour))
	job := actor.Actor{Office: full, Person: "job:staged", Terminal: "jobs", Purpose: actor.Operate}
	if h.err == nil {
		_, err := h.book.app.Imports.Expire(h.ctx, job)
		_, failed := h.book.app.Rosters.Expire(h.ctx, job)
		h.err = errors.Join(err, failed)
	}
	h.story("/counter/imports/{id}", "nobody took it in time", office.Officer, file)
	h.story("/counter/rosters/{id}", "nobody took it in time", office.Officer, roster)
}
