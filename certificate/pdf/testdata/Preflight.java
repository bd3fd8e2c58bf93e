import java.io.File;
import org.apache.pdfbox.preflight.PreflightDocument;
import org.apache.pdfbox.preflight.ValidationResult.ValidationError;
import org.apache.pdfbox.preflight.parser.PreflightParser;

/** Validates files against PDF/A-1b with PDFBox and prints the faults, one on a line. */
public class Preflight {
    public static void main(String[] files) throws Exception {
        for (String file : files) {
            PreflightParser parser = new PreflightParser(new File(file));
            parser.parse();
            try (PreflightDocument document = parser.getPreflightDocument()) {
                document.validate();
                for (ValidationError error : document.getResult().getErrorsList()) {
                    System.out.println(file + ": " + error.getErrorCode() + " " + error.getDetails());
                }
                System.out.println(file + ": " + (document.getResult().isValid() ? "valid" : "not valid"));
            }
        }
    }
}
