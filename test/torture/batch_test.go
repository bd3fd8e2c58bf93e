package torture

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// S-038, S-060: the processes that take the rows of a file into applications are killed with
// SIGKILL at random moments, again and again until the file has ended: each row is one
// application, made and handed in once, and what the page says of the rows is so.
func TestBatchKilled(t *testing.T) {
	together(t)
	t.Run("sqlite", func(t *testing.T) { killBatch(t, database{}, 1) })
	t.Run("postgres/two nodes", func(t *testing.T) { killBatch(t, onPostgres(t), 2) })
}

// line is a row of the file as the books have it.
type line struct {
	application, fault, state string
	done                      bool
}

// torn tells whether its application is there and the row does not know it yet.
func (l line) torn() bool { return !l.done && l.state != "" }

func killBatch(t *testing.T, d database, count int) {
	data := t.TempDir()
	var nodes []*node
	for range count {
		n := newNode(t, data, d.environ...)
		n.start(t)
		nodes = append(nodes, n)
	}
	who, people := signIn(t, nodes[0]), invent(of(40, 400))
	bring(t, nodes[0].faces["staff"]+"/api/v1", who, people)
	d.widen(t, data)
	db, id := d.open(t, data), startBatch(t, nodes[0], who, people)
	kills, torn := 0, 0
	for done(t, db, id) < len(people) {
		enough, latest := done(t, db, id)+rand.IntN(4), time.Now().Add(5*time.Second)
		for done(t, db, id) < enough && time.Now().Before(latest) {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(rand.N(20 * time.Millisecond))
		for _, n := range nodes {
			n.kill()
		}
		kills++
		torn += len(checkLines(t, db, id, count))
		for _, n := range nodes {
			n.start(t)
		}
		checkProgress(t, db, nodes[0], who, id)
	}
	checkLines(t, db, id, 0)
	checkProgress(t, db, nodes[0], who, id)
	if got := must(t, who.clerk, "GET", nodes[0].faces["staff"]+"/api/v1/batches/"+id, "", nil).get("state"); got != "finished" {
		t.Errorf("at the end it is %s", got)
	}
	log := entries(t, db)
	for number, l := range linesOf(t, db, id) {
		created, submitted, noted := log["application.create "+l.application], log["application.submit "+l.application], log["batch.row "+l.application]
		if created != 1 || noted != 1 || submitted < 1 || count == 1 && submitted > 1 {
			t.Errorf("line %d: the log says made %d, handed in %d, noted %d times", number, created, submitted, noted)
		}
	}
	t.Logf("%d rows, %d kills, %d of them between an application and its row", len(people), kills, torn)
	if kills < of(2, 40) || full() && torn == 0 {
		t.Errorf("%d kills, %d of them in the middle of a row, prove nothing", kills, torn)
	}
}

// startBatch hands in a file of people and has it started, by two where it takes two.
func startBatch(t *testing.T, n *node, who staff, people []person) (id string) {
	t.Helper()
	var file strings.Builder
	file.WriteString("種類,接種券番号,姓,名,生年月日\r\n")
	for _, p := range people {
		fmt.Fprintf(&file, "国内用,%s,%s,%s,%s\r\n", p.ticket, p.family, p.given, p.birth)
	}
	base := n.faces["staff"] + "/api/v1/batches"
	id = must(t, who.clerk, "POST", base, "text/csv", []byte(file.String())).get("id")
	if r := must(t, who.clerk, "POST", base+"/"+id+"/commit", "application/json", []byte(`{"whole":true}`)); r.get("state") == "requested" {
		who.again(n.faces["staff"])
		must(t, who.officer, "POST", base+"/"+id+"/start", "", nil)
	}
	return id
}

func done(t *testing.T, db *sql.DB, id string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM batch_rows WHERE batch_id = $1 AND done_at > 0", id).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func linesOf(t *testing.T, db *sql.DB, id string) map[int]line {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT r.line, r.application_id, r.fault, r.done_at, coalesce(a.state, '') FROM batch_rows r
		LEFT JOIN applications a ON a.office = r.office AND a.id = r.application_id WHERE r.batch_id = $1`, id)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[int]line{}
	for rows.Next() {
		var number int
		var at int64
		var l line
		if err := rows.Scan(&number, &l.application, &l.fault, &at, &l.state); err != nil {
			t.Fatal(err)
		}
		l.done = at > 0
		all[number] = l
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// checkLines holds the rows against the applications and returns the lines that are torn:
// at most so many as processes can be at.
func checkLines(t *testing.T, db *sql.DB, id string, most int) (torn []int) {
	t.Helper()
	for number, l := range linesOf(t, db, id) {
		if l.torn() {
			torn = append(torn, number)
		}
		if l.done && l.state != "approved" || l.fault != "" {
			t.Errorf("line %d: %+v", number, l)
		}
	}
	var strays int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM applications WHERE id NOT IN (SELECT application_id FROM batch_rows WHERE batch_id = $1)", id).Scan(&strays); err != nil {
		t.Fatal(err)
	}
	if strays > 0 || len(torn) > most {
		t.Errorf("%d applications of no line, %v torn", strays, torn)
	}
	return torn
}

var (
	progress = regexp.MustCompile(`<progress id="done" max="(\d+)" value="(\d+)">`)
	linked   = regexp.MustCompile(`href="/counter/applications/([0-9a-f-]{36})"`)
)

// checkProgress holds what the page says against the books before and after it was asked.
func checkProgress(t *testing.T, db *sql.DB, n *node, who staff, id string) {
	t.Helper()
	before := done(t, db, id)
	page := must(t, who.clerk, "GET", n.faces["staff"]+"/counter/batches/"+id, "", nil)
	after := done(t, db, id)
	shown := progress.FindSubmatch(page.body)
	if shown == nil {
		t.Fatalf("no progress: %s", page.body)
	}
	said, _ := strconv.Atoi(string(shown[2]))
	links := linked.FindAllSubmatch(page.body, -1)
	if said < before || said > after || len(links) < said || len(links) > after || string(shown[1]) != strconv.Itoa(len(linesOf(t, db, id))) {
		t.Errorf("the page says %s of %s and links %d; the books said %d, then %d", shown[2], shown[1], len(links), before, after)
	}
	if len(links) > 0 {
		link := string(links[rand.IntN(len(links))][1])
		if r, err := ask(context.Background(), who.clerk, "GET", n.faces["staff"]+"/api/v1/applications/"+link, "", nil); err != nil || r.get("state") != "approved" {
			t.Errorf("a done row leads to %d %v %s", r.status, err, r.get("state"))
		}
	}
}
