package catalog.sstables;

/** What ends the program: a message for the person who loads, and the exit code that says what kind it is. */
final class Failure extends RuntimeException {
    /** The program was started with a specification that it cannot follow. */
    static final int SPECIFICATION = 2;
    /** A line of the input is no row of its table; nothing after it was looked at. */
    static final int BAD_ROW = 3;
    /** No space is left on the device. */
    static final int DISK_FULL = 4;
    /** A file cannot be read or written for another reason. */
    static final int INPUT_OUTPUT = 5;
    /** Anything else: an error of ours. */
    static final int INTERNAL = 70;

    private static final long serialVersionUID = 1L;

    final int exitCode;

    Failure(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    private Failure(int exitCode, String message, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    static Failure specification(String message) {
        return new Failure(SPECIFICATION, "specification: " + message);
    }

    static Failure badRow(String message) {
        return new Failure(BAD_ROW, message);
    }

    /** Tells from any error which kind it is. Cassandra wraps errors of files in classes of its own. */
    static Failure of(Throwable error) {
        String words = "";
        boolean files = false;
        for (Throwable one = error; one != null; one = one.getCause()) {
            if (one instanceof Failure) {
                return (Failure) one;
            }
            String name = one.getClass().getSimpleName();
            files |= one instanceof java.io.IOException || name.startsWith("FS");
            words += " <- " + name + ": " + one.getMessage();
            if (String.valueOf(one.getMessage()).contains("No space left on device")) {
                return new Failure(DISK_FULL, "no space left on the device: " + error, error);
            }
        }
        return new Failure(files ? INPUT_OUTPUT : INTERNAL, words.substring(4), error);
    }
}
