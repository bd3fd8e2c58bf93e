package storybook

import (
	"net/url"
	"strings"

	"akashi/internal/office"
)

// filesBrought are those of subjects and records, and the log.
func filesBrought(h *hand) {
	const list, page = "/counter/imports", "/counter/imports/{id}"
	seen := func(state string, as office.Role, path string) { h.story(page, state, as, path) }
	bring := func(as office.Role, kind, file string) string {
		return h.send(as, list, url.Values{"kind": {kind}, "file": {file}})
	}
	h.story(list, "some", office.Clerk, list)
	h.story(list, "as an approver", office.Approver, list)
	h.story(list, "as an auditor", office.Auditor, list)
	h.wrong(list, "an empty file", office.RegisterClerk, list, url.Values{"kind": {"records"}, "file": {""}})
	h.wrong(list, "no kind chosen", office.RegisterClerk, list, url.Values{"file": {"x"}})

	header, rows, _ := strings.Cut(furtherSubjects, "\n")
	staged := bring(office.RegisterClerk, "subjects", furtherSubjects)
	seen("one's own, waits for approval", office.RegisterClerk, staged)
	seen("to be approved", office.Approver, staged)
	seen("waits for approval, as an auditor", office.Auditor, staged)
	taken := bring(office.RegisterClerk, "subjects", header+"\n900001,0000000111,,新,人,シン,ジン,1980-02-03,1,resident,\n"+rows)
	h.send(office.Approver, taken+"/commit", url.Values{})
	seen("taken", office.RegisterClerk, taken)
	asked := bring(office.RegisterClerk, "records", furtherRecords)
	h.send(office.Officer, asked+"/commit", url.Values{})
	h.send(office.RegisterClerk, asked+"/undo-request", url.Values{})
	seen("to be withdrawn", office.Approver, asked)
	dropped := bring(longClerk, "records", furtherRecords+"\n")
	h.send(longClerk, dropped+"/discard", url.Values{})
	seen("given up", office.RegisterClerk, dropped)

	var long strings.Builder
	long.WriteString(furtherRecords)
	for range 60 {
		long.WriteString("900001,12,x,3.14,メーカー,製品,ﾛｯﾄ,場所,,ledger,,smallpox\n")
	}
	seen("many lines are wrong", office.RegisterClerk, bring(office.RegisterClerk, "records", long.String()))
	seen("of the other kind", office.RegisterClerk, bring(office.RegisterClerk, "records", furtherSubjects))
	seen("no line is right", office.RegisterClerk, bring(office.RegisterClerk, "subjects", header+"\n900001,1,,,,,,,,,\n"))
	const log = "/counter/log"
	h.story(log, "as an auditor", office.Auditor, log)
	h.wrong(log, "exported of no day", office.Auditor, log+"/export", url.Values{"from:text": {"昨日"}, "until:text": {"2026-11-24"}})
	h.story(page, "does not exist", office.RegisterClerk, list+"/"+nowhere)
}
