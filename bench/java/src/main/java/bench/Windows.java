package bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** Rates of a running counter over windows of equal length, and their median. */
final class Windows {
    private final LongAdder counter;
    private final List<Double> rates = new ArrayList<>();

    Windows(LongAdder counter) {
        this.counter = counter;
    }

    /** Watches one more window; the messages counted since the window before. */
    long watch(double seconds) throws InterruptedException {
        long begin = System.nanoTime();
        long before = counter.sum();
        Thread.sleep((long) (seconds * 1000));
        long counted = counter.sum() - before;
        rates.add(counted * 1e9 / (System.nanoTime() - begin));
        return counted;
    }

    void forgetLast() {
        rates.remove(rates.size() - 1);
    }

    Map<String, Object> facts() {
        List<Double> sorted = new ArrayList<>(rates);
        Collections.sort(sorted);
        int half = sorted.size() / 2;
        double median = sorted.isEmpty() ? 0
            : sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("median", Math.round(median));
        List<Long> whole = new ArrayList<>();
        for (double rate : rates) {
            whole.add(Math.round(rate));
        }
        facts.put("windows", whole);
        return facts;
    }
}
