package cli

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/office"
	"akashi/signing"
)

// Proof is a database that is only read.
type Proof interface {
	tree.Store
	Office(ctx context.Context, code string) (office.Office, error)
	Staff(ctx context.Context, code, id string) (office.Staff, error)
	StaffByUser(ctx context.Context, code, user string) (office.Staff, error)
	Terminals(ctx context.Context, code string) ([]office.Terminal, error)
	Close() error
}

func auditCommand(parts Adapters) *cobra.Command {
	cmd := &cobra.Command{
		Use: "audit", Short: "Prove the operation log, export it, or trace a leak", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(auditVerifyCommand(parts), auditExportCommand(parts), auditLeakCommand(parts), auditAdmitCommand(parts))
	return cmd
}

type auditOptions struct {
	export, copies, key string
	asJSON              bool
}

func auditVerifyCommand(parts Adapters) *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use: "verify [--export FILE] [--copy DIR] [--key FILE]", Short: "Prove the log of a database or an export against signed checkpoints", Args: noArgs,
		Long: "Prove the log against the checkpoints that were signed of it and copied to a second place.\n" +
			"The database is only read. Whoever proves should bring the public key and the copied checkpoints from elsewhere.\n" +
			"Exit status: 0 proven but for what came since the last checkpoint in the ordinary course, 1 changed, 2 unreadable,\n" +
			"3 nothing stands under a checkpoint, 4 proven in part: more came since than a checkpoint waits for, 64 usage.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := LoadConfig(parts.Environ)
			if err != nil {
				return usageError{err}
			}
			if o.copies == "" {
				o.copies = c.LogCopy
			}
			key, err := pinnedKey(o.key, filepath.Join(c.Data, "keys", string(signing.OperationLog)+".pub"))
			if err != nil {
				return usageError{err}
			}
			report, err := o.prove(cmd.Context(), parts, c, key)
			if err != nil {
				_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "akashi: %v\n", err)
				return ExitError{2}
			}
			if o.asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(report)
			} else {
				showReport(cmd.OutOrStdout(), report, o.copies != "")
			}
			if status := reportStatus[report.Verdict]; err == nil && status != 0 {
				err = ExitError{status}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&o.export, "export", "", "file made by audit export, or part of the log from its page; default the database")
	cmd.Flags().StringVar(&o.copies, "copy", "", "directory of copied checkpoints; default AKASHI_LOG_COPY")
	cmd.Flags().StringVar(&o.key, "key", "", "file with the public key of the log; default the one in the data directory")
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "one JSON object")
	return cmd
}

// pinnedKey reads a public key of the form name+hash+key.
func pinnedKey(path, own string) (note.Verifier, error) {
	if path == "" {
		path = own
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("public key of the log: %w", err)
	}
	key, err := note.NewVerifier(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, fmt.Errorf("public key of the log: %s is none", filepath.Base(path))
	}
	return key, nil
}

func (o auditOptions) prove(ctx context.Context, parts Adapters, c Config, key note.Verifier) (tree.Report, error) {
	var copied []string
	if o.copies != "" {
		if _, err := os.Stat(o.copies); err != nil {
			return tree.Report{}, err
		}
		var err error
		if copied, err = tree.Folder(o.copies).Of(key.Name()).All(); err != nil {
			return tree.Report{}, err
		}
	}
	if o.export != "" {
		f, err := os.Open(o.export)
		if err != nil {
			return tree.Report{}, err
		}
		defer func() { _ = f.Close() }()
		return tree.ProveFile(f, copied, key)
	}
	var report tree.Report
	err := withProof(ctx, parts, c, func(s Proof) error {
		e, err := tree.Stored(ctx, s, tree.Log, copied, key)
		if err == nil {
			report, err = tree.Prove(e)
		}
		return err
	})
	return report, err
}

func withProof(ctx context.Context, parts Adapters, c Config, run func(Proof) error) error {
	s, err := parts.OpenProof(ctx, c.database())
	if err != nil {
		return err
	}
	return errors.Join(run(s), s.Close())
}

// reportStatus is the exit status.
var reportStatus = map[tree.Verdict]int{tree.Whole: 0, tree.Manipulated: 1, tree.Undecided: 3, tree.Part: 4}

var findingSentences = map[tree.Kind][2]string{
	tree.Missing:   {"記録の本文が失われています", "an entry is gone"},
	tree.Changed:   {"記録が書き換えられています", "an entry was changed"},
	tree.Columns:   {"記録の表示項目が証明された本文と違います", "an entry reads otherwise than it was proven"},
	tree.Order:     {"記録の番号が欠けているか重なっています", "places are missing or doubled"},
	tree.Root:      {"この範囲の記録は署名された時のものではありません", "between these places the log is not the one that was signed"},
	tree.Tile:      {"木の内部の値が記録と合いません", "a stored inner node of the tree is wrong"},
	tree.Truncated: {"署名された時より記録が短くなっています", "the log is shorter than what was signed"},
	tree.Backdated: {"締め切られた時間の記録が後から加えられています", "an entry says a time that was closed before it came"},
	tree.Outside:   {"締め切られた時間の記録が木に入っていません（後から加えられた疑い）", "an entry of a time that was closed has no place in the tree; it may have been put in later"},
	tree.Signature: {"固定した鍵の署名でない検査点があります", "a checkpoint was not signed with the pinned key"},
	tree.Fork:      {"矛盾する二つの検査点が署名されています", "two signed checkpoints contradict each other"},
	tree.None:      {"比べる検査点がありません", "there is no checkpoint to compare with"},
}

func showReport(out io.Writer, r tree.Report, copied bool) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	p("log: %s", verdictWords(r))
	p("  %d of %d entries stand under %d signed checkpoints, %d of them from the second place. / 全%d件中%d件を検査点%d個（うち別の場所の写し%d個）で確かめました。",
		r.Proven, r.Size, r.Points, r.Copied, r.Size, r.Proven, r.Points, r.Copied)
	if !r.Last.IsZero() {
		p("  The last checkpoint is of %s. / 最後の検査点。", r.Last.Format(time.RFC3339))
	}
	if r.Unproven+int64(r.Loose) > 0 {
		p("  Not provable yet: %d entries behind it and %d without a place; a change among them would not be noticed. / まだ証明できない記録: %d件と%d件。この中の変更は見つけられません。",
			r.Unproven, r.Loose, r.Unproven, r.Loose)
	}
	if r.Pruned > 0 {
		p("  %d entries were removed after their time, as entries log.prune say; their hashes are proven. / 保存期間の後に削除され、log.prune に記録されたもの: %d件（ハッシュは確かめました）。", r.Pruned, r.Pruned)
	}
	if r.Admitted > 0 {
		p("  %d entries came after their time was signed for and were let in by an entry log.admit. / 署名後に届き、log.admit の記録で認められたもの: %d件。", r.Admitted, r.Admitted)
	}
	if r.Ahead > 0 {
		p("  %d entries say a time of after the checkpoint that covers them: a clock was ahead, or somebody wrote them in. / 検査点より後の時刻を示す記録: %d件（時計が進んでいたか、手で加えられたもの）。", r.Ahead, r.Ahead)
	}
	if r.Part {
		p("  A part proves the entries in it: whether any was left out, the database alone tells. / 証明できるのは、このファイルにある記録が書き換えられていないことだけです。除かれた記録がないかは、データベースで確かめてください。")
	} else if r.File {
		p("  A file proves entries with a place only: whether any without one were left out or put in, the database alone tells, or the SHA-256 that the export printed." +
			" / ファイルで証明できるのは木に入った記録だけです。入っていない記録が除かれたり加えられたりしていないかは、データベースか、書き出した時に表示された SHA-256 で確かめてください。")
	}
	if !copied {
		p("  Without copied checkpoints (--copy) a return to an earlier state would not be noticed. / 写しがないため、過去の状態への巻き戻しは見つけられません。")
	}
	for _, f := range r.Findings {
		s := findingSentences[f.Kind]
		where := ""
		switch {
		case f.Until > 0:
			where = fmt.Sprintf(" [%d to %d]", f.Entry, f.Until)
		case f.Entry >= 0:
			where = fmt.Sprintf(" [%d]", f.Entry)
		}
		for _, more := range []string{f.At, f.ID} {
			if more != "" {
				where += " " + clean1(more)
			}
		}
		p("  %-13s%s %s / %s", f.Kind, where, s[1], s[0])
	}
	if r.More > 0 {
		p("  … and %d more / ほか%d件", r.More, r.More)
	}
}

// verdictWords says what is proven, and up to where.
func verdictWords(r tree.Report) string {
	rest := r.Unproven + int64(r.Loose)
	if r.Part && (r.Verdict == tree.Whole || r.Verdict == tree.Part) {
		return fmt.Sprintf("PROVEN 改ざんなし: %d entries of a part, %d not yet under its checkpoint / 抜き出した記録のうち%d件、まだ検査点の範囲外のもの%d件", r.Proven, rest, r.Proven, rest)
	}
	if rest == 0 && r.Verdict == tree.Whole && r.File {
		return fmt.Sprintf("PROVEN 改ざんなし: all %d entries with a place / 木に入った全%d件", r.Size, r.Size)
	}
	if rest == 0 && r.Verdict == tree.Whole {
		return fmt.Sprintf("PROVEN 改ざんなし: all %d entries / 全%d件", r.Size, r.Size)
	}
	upTo := fmt.Sprintf("up to entry %d of %d; the last %d entries (since %s) are not yet under a checkpoint / %d件中%d件目まで。%s以降の%d件はまだ検査点の範囲外です",
		r.Proven, r.Size+int64(r.Loose), rest, clean1(r.Since), r.Size+int64(r.Loose), r.Proven, clean1(r.Since), rest)
	switch r.Verdict {
	case tree.Whole:
		return "PROVEN 改ざんなし " + upTo
	case tree.Part:
		return "PROVEN IN PART 一部だけ証明 " + upTo
	case tree.Undecided:
		return "UNDECIDED 判定不能: no entry stands under a checkpoint / 検査点の範囲内の記録がありません"
	}
	return "CHANGED 改ざんあり"
}

func auditAdmitCommand(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "admit CODE ENTRY", Short: "Let in an entry that came after its time was signed for", Args: officeAnd("the id of an entry", isRow),
		Long: "Let in an entry of the log that came after its time was signed for, when people have found out why: a clock, not a hand.\n" +
			"Until then no checkpoint is signed (alarm log_late). That it was let in is an entry itself, which every proof counts.\n" +
			"It needs an approval of two people of that office (log.admit, object: the entry's id), who can ask and approve while all else stands still.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				a := job("audit", args[0])
				a.Permissions = map[string]bool{string(office.CarryOutAdmission): true}
				return app.Log.Act(ctx, a, audit.Entry{Action: tree.AdmitAction, Object: args[1]}, func(ctx context.Context, _ *audit.Entry) error {
					return app.Approvals.Use(ctx, a, office.AdmitEntry, args[1], office.Digest(nil))
				})
			})
		},
	}
}

func auditExportCommand(parts Adapters) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "export --out FILE", Short: "Write the log with its checkpoints to a file; it holds internal keys and codes only", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError{errors.New("audit export needs --out FILE")}
			}
			c, err := LoadConfig(parts.Environ)
			if err != nil {
				return usageError{err}
			}
			return withProof(cmd.Context(), parts, c, func(s Proof) error {
				placed, loose, sum, err := exportTo(cmd.Context(), s, out)
				if err == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d entries, and %d without a place\nSHA-256 %x\n", placed, loose, sum)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write; it must not exist")
	return cmd
}

// exportTo writes the file; its SHA-256, kept elsewhere, tells whether anybody edits it.
func exportTo(ctx context.Context, s Proof, path string) (placed, loose int64, sum []byte, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, 0, nil, err
	}
	digest := sha256.New()
	w := bufio.NewWriter(io.MultiWriter(f, digest))
	placed, loose, err = tree.Export(ctx, s, w)
	err = errors.Join(err, w.Flush(), f.Sync(), f.Close())
	return placed, loose, digest.Sum(nil), err
}
