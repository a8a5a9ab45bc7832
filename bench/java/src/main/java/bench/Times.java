package bench;

import java.util.concurrent.atomic.AtomicLongArray;

/** How long sends took, counted by microseconds, and their median: what a machine's hiccups disturb least. */
final class Times {
    private static final int MOST_MICROS = 100_000;

    private final AtomicLongArray counts = new AtomicLongArray(MOST_MICROS + 1);

    /** Counts one; what took longer than the most counts as that. */
    void add(long nanos) {
        counts.incrementAndGet((int) Math.min(nanos / 1000, MOST_MICROS));
    }

    void forget() {
        for (int micros = 0; micros <= MOST_MICROS; micros++) {
            counts.set(micros, 0);
        }
    }

    /** In whole microseconds; 0 when there were none. */
    int medianMicros() {
        long all = 0;
        for (int micros = 0; micros <= MOST_MICROS; micros++) {
            all += counts.get(micros);
        }
        int median = 0;
        for (long below = counts.get(0); 2 * below < all; below += counts.get(median)) {
            median++;
        }
        return median;
    }
}
