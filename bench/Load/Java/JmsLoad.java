import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;

/**
 * usage: JmsLoad MODE HOST:PORT QUEUE WARM_UP_SECONDS SECONDS BODY_BYTES SERVER_PID
 *
 * Sends to a queue and receives from it at the same time, and prints what it measured as a line of JSON. MODE is one of
 *   one        durable, each send waits for its answer
 *   async      durable, sends wait for no answer (useAsyncSend)
 *   100        durable, local transactions of 100 on both sides
 *   transient  not durable
 *   xa         durable, distributed transactions, one branch at a time: each sends one message and receives one
 *   xa-8       the same on eight connections and queues at once
 * The exit code is 1 when something was lost, came twice or in another order.
 */
public final class JmsLoad {
    private static final double TICKS_PER_SECOND = 100;
    private static final long DRAIN_MILLISECONDS_MAX = 10_000;

    private static final int BRANCHES_AT_ONCE = 8;

    private JmsLoad() {}

    public static void main(String[] arguments) throws Exception {
        List<Traffic> traffic = traffic(arguments[0], arguments[1], arguments[2], Integer.parseInt(arguments[5]));
        double seconds = Double.parseDouble(arguments[4]);
        long server = Long.parseLong(arguments[6]);
        for (Traffic each : traffic) each.start();
        Thread.sleep((long) (Double.parseDouble(arguments[3]) * 1000));
        Moment before = new Moment(traffic, server);
        Thread.sleep((long) (seconds * 1000));
        Moment after = new Moment(traffic, server);
        for (Traffic each : traffic) each.stop(DRAIN_MILLISECONDS_MAX);
        System.out.println(json(traffic, before, after, server));
        System.exit(sum(traffic, Traffic::missing) == 0 && sum(traffic, Traffic::outOfOrder) == 0 ? 0 : 1);
    }

    private static List<Traffic> traffic(String mode, String address, String queue, int bodyBytes) throws Exception {
        String url = "tcp://" + address;
        switch (mode) {
            case "one": return List.of(new QueueTraffic(url, queue, bodyBytes, true, 0));
            case "async": return List.of(new QueueTraffic(url + "?jms.useAsyncSend=true", queue, bodyBytes, true, 0));
            case "100": return List.of(new QueueTraffic(url, queue, bodyBytes, true, 100));
            case "transient": return List.of(new QueueTraffic(url, queue, bodyBytes, false, 0));
            case "xa": return List.of(new BranchTraffic(url, queue, bodyBytes, 0));
            case "xa-8": return IntStream.range(0, BRANCHES_AT_ONCE)
                .mapToObj(i -> (Traffic) new BranchTraffic(url, queue + "-" + i, bodyBytes, i)).toList();
            default: throw new IllegalArgumentException("there is no mode " + mode);
        }
    }

    private static long sum(List<Traffic> traffic, ToLongFunction<Traffic> figure) {
        return traffic.stream().mapToLong(figure).sum();
    }

    private static String json(List<Traffic> traffic, Moment before, Moment after, long server) throws Exception {
        double seconds = (after.nanoseconds - before.nanoseconds) / 1e9;
        long messages = after.received - before.received;
        double count = Math.max(1, messages);
        return String.format(Locale.ROOT,
            "{\"messagesPerSecond\":%.1f,\"messages\":%d,\"seconds\":%.3f,\"clientCpuUs\":%.3f,\"serverCpuUs\":%.3f,"
                + "\"serverResidentBytesMax\":%d,\"messagesPerBranch\":%d,\"missing\":%d,\"outOfOrder\":%d}",
            messages / seconds, messages, seconds, (after.clientSeconds - before.clientSeconds) * 1e6 / count,
            (after.serverSeconds - before.serverSeconds) * 1e6 / count, residentBytes(server),
            traffic.get(0).messagesPerBranch(), sum(traffic, Traffic::missing), sum(traffic, Traffic::outOfOrder));
    }

    private static long residentBytes(long process) throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc", "" + process, "status"))) {
            if (line.startsWith("VmRSS:")) return Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024;
        }
        return 0;
    }

    /** What had happened, and what both processes had used, at one time. */
    private static final class Moment {
        final long nanoseconds = System.nanoTime();
        final long received;
        final double clientSeconds;
        final double serverSeconds;

        Moment(List<Traffic> traffic, long server) throws Exception {
            received = sum(traffic, Traffic::received);
            clientSeconds = ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getProcessCpuTime() / 1e9;
            serverSeconds = processorSeconds(server);
        }

        // The second field, the name, may hold blanks and parentheses; utime and stime are the 14th and 15th.
        private static double processorSeconds(long process) throws Exception {
            String stat = Files.readString(Path.of("/proc", "" + process, "stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
        }
    }
}
