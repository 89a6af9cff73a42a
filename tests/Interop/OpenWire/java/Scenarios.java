import java.util.ArrayList;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.List;
import java.util.Objects;
import javax.jms.BytesMessage;
import javax.jms.Connection;
import javax.jms.DeliveryMode;
import javax.jms.InvalidDestinationException;
import javax.jms.JMSException;
import javax.jms.MapMessage;
import javax.jms.Message;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.ObjectMessage;
import javax.jms.Queue;
import javax.jms.QueueBrowser;
import javax.jms.Session;
import javax.jms.StreamMessage;
import javax.jms.TextMessage;
import javax.jms.Topic;
import javax.jms.TopicSubscriber;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;
import org.apache.activemq.ActiveMQSession;

/** What JMS clients do. Each method is one scenario with queues of its own name; "ok" is the last line of a good one. */
public final class Scenarios {
    private static final long WAIT = 20_000;
    private static final long MOMENT = 300;
    private final String url;
    private final String name;
    private final List<Connection> connections = new ArrayList<>();

    private Scenarios(String url, String name) {
        this.url = url;
        this.name = name;
    }

    public static void main(String[] arguments) throws Exception {
        Scenarios scenarios = new Scenarios("tcp://" + arguments[0], arguments[1]);
        try {
            Scenarios.class.getDeclaredMethod(arguments[1]).invoke(scenarios);
            for (Connection connection : scenarios.connections) connection.close();
        } catch (java.lang.reflect.InvocationTargetException failure) {
            failure.getCause().printStackTrace();
            System.exit(1);
        }
        System.out.println("ok");
        System.exit(0);
    }

    // ---- scenarios ----

    void everyTypeOfMessage() throws Exception {
        everyType("");
    }

    void everyTypeOfMessageCompressed() throws Exception {
        everyType("?jms.useCompression=true");
    }

    void looseAndUncached() throws Exception {
        everyType("?wireFormat.tightEncodingEnabled=false&wireFormat.cacheEnabled=false");
    }

    void oldVersions() throws Exception {
        for (int version : new int[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 }) {
            everyType("?wireFormat.version=" + version);
            everyType("?wireFormat.version=" + version + "&wireFormat.tightEncodingEnabled=false");
        }
    }

    void headersAndProperties() throws Exception {
        Session session = session();
        Queue queue = queue(session);
        MessageProducer producer = session.createProducer(queue);
        Message sent = session.createMessage();
        sent.setJMSCorrelationID("c-1");
        sent.setJMSType("kind");
        sent.setJMSReplyTo(session.createTopic(name + ".answers"));
        sent.setStringProperty("JMSXGroupID", "g");
        sent.setIntProperty("JMSXGroupSeq", 3);
        sent.setBooleanProperty("boolean", true);
        sent.setByteProperty("byte", (byte) -3);
        sent.setShortProperty("short", (short) -300);
        sent.setIntProperty("int", -70_000);
        sent.setLongProperty("long", 1L << 40);
        sent.setFloatProperty("float", 1.5f);
        sent.setDoubleProperty("double", -2.25);
        sent.setStringProperty("string", "\u00e4\u20ac");
        producer.send(sent, DeliveryMode.NON_PERSISTENT, 7, 600_000);
        Message got = receive(session.createConsumer(queue));
        equal(sent.getJMSMessageID(), got.getJMSMessageID());
        equal("c-1", got.getJMSCorrelationID());
        equal("kind", got.getJMSType());
        equal("topic://" + name + ".answers", got.getJMSReplyTo().toString());
        equal(queue.toString(), got.getJMSDestination().toString());
        equal(DeliveryMode.NON_PERSISTENT, got.getJMSDeliveryMode());
        equal(7, got.getJMSPriority());
        equal(sent.getJMSExpiration(), got.getJMSExpiration());
        equal(sent.getJMSTimestamp(), got.getJMSTimestamp());
        equal(false, got.getJMSRedelivered());
        equal("g", got.getStringProperty("JMSXGroupID"));
        equal(3, got.getIntProperty("JMSXGroupSeq"));
        equal(true, got.getBooleanProperty("boolean"));
        equal((byte) -3, got.getByteProperty("byte"));
        equal((short) -300, got.getShortProperty("short"));
        equal(-70_000, got.getIntProperty("int"));
        equal(1L << 40, got.getLongProperty("long"));
        equal(1.5f, got.getFloatProperty("float"));
        equal(-2.25, got.getDoubleProperty("double"));
        equal("\u00e4\u20ac", got.getStringProperty("string"));
    }

    void selectors() throws Exception {
        Session session = session();
        Queue queue = queue(session);
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 20; i++) {
            TextMessage message = session.createTextMessage("" + i);
            message.setIntProperty("n", i);
            message.setStringProperty("colour", i % 2 == 0 ? "red" : "blue");
            message.setJMSType(i < 10 ? "low" : "high");
            producer.send(message);
        }
        expect(session, queue, "n > 3 AND colour = 'red' AND JMSType = 'low'", "4", "6", "8");
        expect(session, queue, "colour LIKE 'b%' AND n BETWEEN 10 AND 14", "11", "13");
        expect(session, queue, "JMSPriority = 4 AND n < 2");
    }

    void acknowledgeByTheClient() throws Exception {
        Connection connection = connect("");
        Session session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        Queue queue = queue(session);
        send(session, queue, "a", "b", "c");
        MessageConsumer consumer = session.createConsumer(queue);
        equal("a", text(consumer));
        Message second = receive(consumer);
        second.acknowledge();
        equal("c", text(consumer));
        session.close();
        session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        Message again = receive(session.createConsumer(queue));
        equal("c", ((TextMessage) again).getText());
        equal(true, again.getJMSRedelivered());
        again.acknowledge();
    }

    void acknowledgeOneByOne() throws Exception {
        Connection connection = connect("");
        Session session = connection.createSession(false, ActiveMQSession.INDIVIDUAL_ACKNOWLEDGE);
        Queue queue = queue(session);
        send(session, queue, "a", "b", "c");
        MessageConsumer consumer = session.createConsumer(queue);
        receive(consumer);
        receive(consumer).acknowledge();
        receive(consumer);
        session.close();
        session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        consumer = session.createConsumer(queue);
        equal("a", text(consumer));
        equal("c", text(consumer));
        equal(null, consumer.receive(MOMENT));
    }

    void acknowledgeLazily() throws Exception {
        Connection connection = connect("?jms.optimizeAcknowledge=true&jms.prefetchPolicy.all=20");
        Session session = connection.createSession(false, Session.DUPS_OK_ACKNOWLEDGE);
        Queue queue = queue(session);
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 500; i++) producer.send(session.createTextMessage("" + i));
        MessageConsumer consumer = session.createConsumer(queue);
        for (int i = 0; i < 500; i++) equal("" + i, text(consumer));
        connection.close();
        equal(null, session().createConsumer(queue).receive(MOMENT));
    }

    void onlyWhatWasSeenCountsAsTried() throws Exception {
        Connection connection = connect("");
        Session session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        Queue queue = queue(session);
        send(session, queue, "seen", "prefetched");
        receive(session.createConsumer(queue));
        session.close();
        session = session();
        MessageConsumer consumer = session.createConsumer(queue);
        equal(true, receive(consumer).getJMSRedelivered());
        equal(false, receive(consumer).getJMSRedelivered());
    }

    void pullWithoutPrefetch() throws Exception {
        Connection connection = connect("?jms.prefetchPolicy.all=0");
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = queue(session);
        MessageConsumer consumer = session.createConsumer(queue);
        equal(null, consumer.receiveNoWait());
        equal(null, consumer.receive(MOMENT));
        send(session, queue, "a", "b", "c");
        equal("a", text(consumer));
        equal("b", ((TextMessage) consumer.receiveNoWait()).getText());
        equal("c", ((TextMessage) consumer.receive()).getText());
        equal(null, consumer.receiveNoWait());
    }

    void prefetchIsABound() throws Exception {
        Connection connection = connect("?jms.prefetchPolicy.queuePrefetch=1");
        Session session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        Queue queue = queue(session);
        MessageConsumer first = session.createConsumer(queue);
        send(session, queue, "a", "b", "c", "d");
        // One that it has seen, and one ahead.
        equal("a", text(first));
        MessageConsumer second = session().createConsumer(queue);
        equal("c", text(second));
        equal("d", text(second));
        equal(null, second.receive(MOMENT));
    }

    void browse() throws Exception {
        Session session = session();
        Queue queue = queue(session);
        QueueBrowser nothing = session.createBrowser(queue);
        equal(false, nothing.getEnumeration().hasMoreElements());
        nothing.close();
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 1200; i++) producer.send(session.createTextMessage("" + i));
        QueueBrowser browser = session.createBrowser(queue);
        Enumeration<?> messages = browser.getEnumeration();
        int seen = 0;
        while (messages.hasMoreElements()) equal("" + seen++, ((TextMessage) messages.nextElement()).getText());
        equal(1200, seen);
        browser.close();
        equal("0", text(session.createConsumer(queue)));
    }

    void topicsWithWildcards() throws Exception {
        Session session = session();
        MessageConsumer all = session.createConsumer(session.createTopic(name + ".>"));
        MessageConsumer one = session.createConsumer(session.createTopic(name + ".*.eu"));
        MessageConsumer exact = session.createConsumer(session.createTopic(name + ".news.eu"));
        MessageConsumer both = session.createConsumer(
            session.createTopic(name + ".news.eu," + name + ".news.us"));
        send(session, session.createTopic(name + ".news.eu"), "eu");
        send(session, session.createTopic(name + ".news.us"), "us");
        for (MessageConsumer consumer : new MessageConsumer[] { all, both }) {
            Message message = receive(consumer);
            equal("eu", ((TextMessage) message).getText());
            equal("topic://" + name + ".news.eu", message.getJMSDestination().toString());
            equal("us", text(consumer));
        }
        equal("eu", text(one));
        equal(null, one.receive(MOMENT));
        equal("eu", text(exact));
        equal(null, exact.receive(MOMENT));
    }

    void noLocal() throws Exception {
        Session session = session();
        Topic topic = session.createTopic(name);
        MessageConsumer consumer = session.createConsumer(topic, null, true);
        send(session, topic, "own");
        send(session(), topic, "other");
        equal("other", text(consumer));
    }

    void durableSubscriber() throws Exception {
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(url);
        Connection connection = factory.createConnection();
        connection.setClientID(name);
        connection.start();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Topic topic = session.createTopic(name);
        TopicSubscriber subscriber = session.createDurableSubscriber(topic, "sub", "n > 0", false);
        sendNumber(topic, 1);
        equal("1", text(subscriber));
        connection.close();
        sendNumber(topic, 0);
        sendNumber(topic, 2);
        connection = factory.createConnection();
        connection.setClientID(name);
        connection.start();
        try {
            Connection thief = factory.createConnection();
            thief.setClientID(name);
            fail("a client id was given twice");
        } catch (javax.jms.InvalidClientIDException refused) {
            System.out.println(refused.getMessage());
        }
        session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        subscriber = session.createDurableSubscriber(topic, "sub", "n > 0", false);
        equal("2", text(subscriber));
        subscriber.close();
        session.unsubscribe("sub");
        sendNumber(topic, 3);
        subscriber = session.createDurableSubscriber(topic, "sub", "n > 0", false);
        equal(null, subscriber.receive(MOMENT));
        connection.close();
    }

    void virtualTopics() throws Exception {
        Session session = session();
        Topic topic = session.createTopic("VirtualTopic." + name);
        MessageConsumer a1 = session.createConsumer(session.createQueue("Consumer.A.VirtualTopic." + name));
        MessageConsumer a2 = session().createConsumer(session.createQueue("Consumer.A.VirtualTopic." + name));
        MessageConsumer b = session.createConsumer(session.createQueue("Consumer.B.VirtualTopic." + name));
        MessageProducer producer = session.createProducer(topic);
        for (int i = 0; i < 10; i++) producer.send(session.createTextMessage("" + i));
        for (int i = 0; i < 10; i++) equal("" + i, text(b));
        int shared = 0;
        for (MessageConsumer consumer : new MessageConsumer[] { a1, a2 }) {
            while (consumer.receive(MOMENT) != null) shared++;
        }
        equal(10, shared);
    }

    void compositeDestinations() throws Exception {
        Session session = session();
        Queue both = session.createQueue(name + ".a," + name + ".b,topic://" + name + ".t");
        MessageConsumer topic = session.createConsumer(session.createTopic(name + ".t"));
        send(session, both, "to all");
        equal("to all", text(session.createConsumer(session.createQueue(name + ".a"))));
        equal("to all", text(session.createConsumer(session.createQueue(name + ".b"))));
        equal("to all", text(topic));
    }

    void requestsAndTemporaryQueues() throws Exception {
        Session client = session();
        Session server = session();
        MessageConsumer requests = server.createConsumer(queue(server));
        Queue answers = client.createTemporaryQueue();
        TextMessage request = client.createTextMessage("question");
        request.setJMSReplyTo(answers);
        client.createProducer(queue(client)).send(request);
        MessageConsumer incoming = client.createConsumer(answers);
        Message got = receive(requests);
        server.createProducer(got.getJMSReplyTo()).send(server.createTextMessage("answer"));
        equal("answer", text(incoming));
        try {
            server.createConsumer(got.getJMSReplyTo());
            fail("a temporary queue was consumed from by another connection");
        } catch (InvalidDestinationException refused) {
            System.out.println(refused.getMessage());
        }
        incoming.close();
        ((javax.jms.TemporaryQueue) answers).delete();
        try {
            server.createProducer(got.getJMSReplyTo()).send(server.createTextMessage("late"));
            fail("a temporary queue that is gone took a message");
        } catch (JMSException refused) {
            System.out.println(refused.getMessage());
        }
    }

    void transactions() throws Exception {
        Connection connection = connect("");
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = queue(session);
        Queue results = session.createQueue(name + ".results");
        MessageConsumer other = session().createConsumer(results);
        send(session(), queue, "work");
        MessageConsumer consumer = session.createConsumer(queue);
        equal("work", text(consumer));
        send(session, results, "rolled back");
        session.rollback();
        equal(null, other.receive(MOMENT));
        Message again = receive(consumer);
        equal(true, again.getJMSRedelivered());
        send(session, results, "committed");
        equal(null, other.receive(MOMENT));
        session.commit();
        equal("committed", text(other));
        session.close();
        equal(null, session().createConsumer(queue).receive(MOMENT));
    }

    void transactionsOfManyMessages() throws Exception {
        Session session = connect("").createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = queue(session);
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 3000; i++) {
            producer.send(session.createTextMessage("" + i));
            if (i % 100 == 99) session.commit();
        }
        MessageConsumer consumer = session.createConsumer(queue);
        for (int i = 0; i < 3000; i++) {
            equal("" + i, text(consumer));
            if (i % 100 == 99) session.commit();
        }
        session.close();
        equal(null, session().createConsumer(queue).receive(MOMENT));
    }

    void poisonBecomesADeadLetter() throws Exception {
        ActiveMQConnection connection = connect("?jms.redeliveryPolicy.maximumRedeliveries=1"
            + "&jms.redeliveryPolicy.initialRedeliveryDelay=0");
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = session.createQueue("dead." + name);
        send(session(), queue, "poison");
        MessageConsumer consumer = session.createConsumer(queue);
        for (int i = 0; i < 2; i++) {
            equal("poison", text(consumer));
            session.rollback();
        }
        equal(null, consumer.receive(MOMENT));
        Session other = session();
        MessageConsumer letters = other.createConsumer(other.createQueue("letters"));
        equal("poison", text(letters));
    }

    void expiry() throws Exception {
        Session session = session();
        Queue queue = queue(session);
        MessageProducer producer = session.createProducer(queue);
        producer.setTimeToLive(1);
        producer.send(session.createTextMessage("late"));
        producer.setTimeToLive(0);
        producer.send(session.createTextMessage("kept"));
        Thread.sleep(50);
        equal("kept", text(session.createConsumer(queue)));
    }

    void asynchronousSendsAndListeners() throws Exception {
        ActiveMQConnection connection = connect("?jms.useAsyncSend=true&jms.producerWindowSize=65536");
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = queue(session);
        java.util.concurrent.CountDownLatch all = new java.util.concurrent.CountDownLatch(5000);
        int[] next = { 0 };
        List<String> wrong = new ArrayList<>();
        Session receiving = session();
        receiving.createConsumer(queue).setMessageListener(message -> {
            try {
                String text = ((TextMessage) message).getText();
                if (!text.equals("" + next[0]++)) wrong.add(text);
            } catch (JMSException e) {
                wrong.add(e.toString());
            }
            all.countDown();
        });
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 5000; i++) producer.send(session.createTextMessage("" + i));
        equal(true, all.await(60, java.util.concurrent.TimeUnit.SECONDS));
        equal(List.of(), wrong);
    }

    void largeMessages() throws Exception {
        Session session = session();
        Queue queue = queue(session);
        byte[] body = new byte[20_000_000];
        new java.util.Random(7).nextBytes(body);
        MessageProducer producer = session.createProducer(queue);
        for (int size : new int[] { 200_000, 300_000, 20_000_000 }) {
            BytesMessage sent = session.createBytesMessage();
            sent.writeBytes(body, 0, size);
            sent.setIntProperty("size", size);
            producer.send(sent);
        }
        MessageConsumer consumer = session.createConsumer(queue);
        for (int size : new int[] { 200_000, 300_000, 20_000_000 }) {
            BytesMessage got = (BytesMessage) receive(consumer);
            byte[] read = new byte[size];
            equal(size, got.readBytes(read));
            equal(true, Arrays.equals(read, Arrays.copyOf(body, size)));
            equal(size, got.getIntProperty("size"));
        }
    }

    void advisoriesOfConsumers() throws Exception {
        Session session = session();
        Queue queue = queue(session);
        MessageConsumer advisories = session.createConsumer(
            org.apache.activemq.advisory.AdvisorySupport.getConsumerAdvisoryTopic(queue));
        MessageConsumer consumer = session().createConsumer(queue);
        Message added = receive(advisories);
        equal(1, added.getIntProperty("consumerCount"));
        consumer.close();
        equal(0, receive(advisories).getIntProperty("consumerCount"));
    }

    void advisoriesOfProducers() throws Exception {
        Session session = session();
        Topic topic = session.createTopic(name);
        MessageConsumer advisories = session.createConsumer(
            org.apache.activemq.advisory.AdvisorySupport.getProducerAdvisoryTopic(topic));
        MessageProducer producer = session().createProducer(topic);
        equal(1, receive(advisories).getIntProperty("producerCount"));
        producer.close();
        equal(0, receive(advisories).getIntProperty("producerCount"));
    }

    void advisoriesOfConnections() throws Exception {
        Session session = session();
        MessageConsumer advisories = session.createConsumer(
            org.apache.activemq.advisory.AdvisorySupport.getConnectionAdvisoryTopic());
        ActiveMQConnection other = connect("");
        other.createSession(false, Session.AUTO_ACKNOWLEDGE);
        String id = other.getConnectionInfo().getConnectionId().getValue();
        awaitAdvisory(advisories, told -> told instanceof org.apache.activemq.command.ConnectionInfo
            && ((org.apache.activemq.command.ConnectionInfo) told).getConnectionId().getValue().equals(id));
        other.close();
        awaitAdvisory(advisories, told -> told instanceof org.apache.activemq.command.RemoveInfo
            && ((org.apache.activemq.command.RemoveInfo) told).getObjectId().toString().equals(id));
    }

    void advisoriesOfTemporaryDestinations() throws Exception {
        Session session = session();
        MessageConsumer queues = session.createConsumer(
            org.apache.activemq.advisory.AdvisorySupport.TEMP_QUEUE_ADVISORY_TOPIC);
        MessageConsumer topics = session.createConsumer(
            org.apache.activemq.advisory.AdvisorySupport.TEMP_TOPIC_ADVISORY_TOPIC);
        Session other = session();
        javax.jms.TemporaryQueue queue = other.createTemporaryQueue();
        javax.jms.TemporaryTopic topic = other.createTemporaryTopic();
        awaitDestination(queues, queue, true);
        awaitDestination(topics, topic, true);
        queue.delete();
        topic.delete();
        awaitDestination(queues, queue, false);
        awaitDestination(topics, topic, false);
    }

    void advisoriesOfQueuesAndTopics() throws Exception {
        Session session = session();
        send(session, session.createQueue(name + ".before"), "1");
        org.apache.activemq.advisory.DestinationSource source = connect("").getDestinationSource();
        until(() -> knows(source.getQueues(), name + ".before"));
        send(session, session.createQueue(name + ".later"), "1");
        MessageConsumer reader = session.createConsumer(session.createTopic(name + ".news"));
        until(() -> knows(source.getQueues(), name + ".later") && knows(source.getTopics(), name + ".news"));
        connect("").destroyDestination(new org.apache.activemq.command.ActiveMQQueue(name + ".before"));
        reader.close();
        until(() -> !knows(source.getQueues(), name + ".before") && !knows(source.getTopics(), name + ".news"));
        equal(true, knows(source.getQueues(), name + ".later"));
    }

    // Of a class that only the client knows, nothing is made on the way.
    void objectsAndThrowablesAreInert() throws Exception {
        ActiveMQConnection connection = connect("?jms.redeliveryPolicy.maximumRedeliveries=0");
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = session.createQueue("dead." + name);
        ObjectMessage sent = session.createObjectMessage(new Unknown("kept"));
        sent.setStringProperty("kind", name);
        session.createProducer(queue).send(sent);
        session.createConsumer(queue).setMessageListener(message -> {
            throw new UnknownFault("of a class that only the client has");
        });
        Session other = session();
        Message letter = receive(other.createConsumer(other.createQueue("letters"), "kind = '" + name + "'"));
        equal("kept", ((Unknown) object(letter)).text);
    }

    void silenceKeepsAConnection() throws Exception {
        ActiveMQConnection connection = connect("?wireFormat.maxInactivityDuration=900"
            + "&wireFormat.maxInactivityDurationInitalDelay=100");
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = queue(session);
        MessageConsumer consumer = session.createConsumer(queue);
        equal(null, consumer.receive(4000));
        send(session(), queue, "still here");
        equal("still here", text(consumer));
    }

    void delays() throws Exception {
        Session session = session();
        Queue queue = queue(session);
        MessageProducer producer = session.createProducer(queue);
        TextMessage late = session.createTextMessage("late");
        late.setLongProperty("AMQ_SCHEDULED_DELAY", 1500);
        producer.send(late);
        send(session, queue, "now");
        MessageConsumer consumer = session.createConsumer(queue);
        equal("now", text(consumer));
        equal("late", text(consumer));
        TextMessage often = session.createTextMessage("often");
        often.setStringProperty("AMQ_SCHEDULED_CRON", "0 * * * *");
        try {
            producer.send(often);
            fail("a schedule of many deliveries was taken");
        } catch (JMSException expected) {
            equal(true, expected.getMessage().contains("not supported"));
        }
    }

    void groups() throws Exception {
        Session session = session();
        Queue queue = queue(session);
        Session[] sessions = { session(), session() };
        MessageConsumer[] consumers = { sessions[0].createConsumer(queue), sessions[1].createConsumer(queue) };
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 30; i++) producer.send(grouped(session, "g" + i % 3, "" + i, 0));
        int[] owners = { -1, -1, -1 };
        int[] next = { 0, 1, 2 };
        int got = 0;
        for (int c = 0; c < 2; c++) {
            for (Message message; (message = consumers[c].receive(MOMENT)) != null; got++) {
                int number = Integer.parseInt(((TextMessage) message).getText());
                int group = number % 3;
                equal(owners[group] == -1, message.getBooleanProperty("JMSXGroupFirstForConsumer"));
                if (owners[group] == -1) owners[group] = c;
                equal(owners[group], c);
                equal(next[group], number);
                next[group] += 3;
            }
        }
        equal(30, got);
        // Its owner leaves: the other one takes over.
        int leaving = owners[0];
        sessions[leaving].close();
        producer.send(grouped(session, "g0", "more", 0));
        equal("more", text(consumers[1 - leaving]));
    }

    void exclusiveConsumers() throws Exception {
        Session session = session();
        MessageConsumer common = session.createConsumer(queue(session));
        Session leaving = session();
        MessageConsumer first = leaving.createConsumer(leaving.createQueue("jms." + name + "?consumer.exclusive=true"));
        Session staying = session();
        MessageConsumer second = staying.createConsumer(staying.createQueue("jms." + name + "?consumer.exclusive=true"));
        send(session, queue(session), "1", "2");
        equal("1", text(first));
        equal("2", text(first));
        leaving.close();
        send(session, queue(session), "3");
        equal("3", text(second));
        equal(null, common.receive(MOMENT));
    }

    void consumerPriority() throws Exception {
        Session session = session();
        MessageConsumer low = session.createConsumer(queue(session));
        Session other = session();
        MessageConsumer high = other.createConsumer(other.createQueue("jms." + name + "?consumer.priority=10"));
        send(session, queue(session), "1", "2", "3");
        equal("1", text(high));
        equal("2", text(high));
        equal("3", text(high));
        equal(null, low.receive(MOMENT));
    }

    void queuesWithWildcards() throws Exception {
        Session session = session();
        send(session, session.createQueue(name + ".eu.1"), "before");
        MessageConsumer all = session.createConsumer(session.createQueue(name + ".>"));
        Message got = receive(all);
        equal("before", ((TextMessage) got).getText());
        equal("queue://" + name + ".eu.1", got.getJMSDestination().toString());
        send(session, session.createQueue(name + ".us.1"), "after");
        equal("after", text(all));
        all.close();
        MessageConsumer one = session().createConsumer(session.createQueue(name + ".*.1"));
        send(session, session.createQueue(name + ".eu.2"), "other");
        send(session, session.createQueue(name + ".us.1"), "mine");
        equal("mine", text(one));
        equal(null, one.receive(MOMENT));
        QueueBrowser browser = session.createBrowser(session.createQueue(name + ".>"));
        Enumeration<?> messages = browser.getEnumeration();
        equal("other", ((TextMessage) messages.nextElement()).getText());
        equal(false, messages.hasMoreElements());
    }

    // ---- what they are made of ----

    private static Message grouped(Session session, String group, String text, int sequence) throws Exception {
        TextMessage message = session.createTextMessage(text);
        message.setStringProperty("JMSXGroupID", group);
        if (sequence != 0) message.setIntProperty("JMSXGroupSeq", sequence);
        return message;
    }

    private void everyType(String options) throws Exception {
        Session session = connect(options).createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = queue(session);
        MessageProducer producer = session.createProducer(queue);
        String text = "text \u00e4\u20ac\ud83d\ude00".repeat(50);
        // In properties, maps and streams the client itself cannot read back what lies beyond the basic plane.
        String basic = "text \u00e4\u20ac".repeat(50);
        byte[] bytes = { 0, 1, -128, 127, 42 };
        producer.send(session.createTextMessage(text));
        BytesMessage binary = session.createBytesMessage();
        binary.writeBytes(bytes);
        producer.send(binary);
        MapMessage map = session.createMapMessage();
        map.setInt("int", -5);
        map.setString("string", basic);
        map.setBytes("bytes", bytes);
        map.setBoolean("boolean", true);
        map.setDouble("double", 0.25);
        map.setChar("char", '\u20ac');
        producer.send(map);
        StreamMessage stream = session.createStreamMessage();
        stream.writeInt(9);
        stream.writeString(basic);
        stream.writeBytes(bytes);
        stream.writeLong(-1L << 40);
        producer.send(stream);
        producer.send(session.createObjectMessage(new ArrayList<>(List.of("a", 1))));
        producer.send(session.createMessage());
        MessageConsumer consumer = session.createConsumer(queue);
        equal(text, text(consumer));
        BytesMessage gotBinary = (BytesMessage) receive(consumer);
        byte[] read = new byte[bytes.length];
        equal(bytes.length, gotBinary.readBytes(read));
        equal(true, Arrays.equals(bytes, read));
        MapMessage gotMap = (MapMessage) receive(consumer);
        equal(-5, gotMap.getInt("int"));
        equal(basic, gotMap.getString("string"));
        equal(true, Arrays.equals(bytes, gotMap.getBytes("bytes")));
        equal(0.25, gotMap.getDouble("double"));
        equal('\u20ac', gotMap.getChar("char"));
        StreamMessage gotStream = (StreamMessage) receive(consumer);
        equal(9, gotStream.readInt());
        equal(basic, gotStream.readString());
        equal(bytes.length, gotStream.readBytes(read));
        equal(-1, gotStream.readBytes(read));
        equal(-1L << 40, gotStream.readLong());
        equal(List.of("a", 1), object(receive(consumer)));
        equal(true, receive(consumer) != null);
        consumer.close();
    }

    private static final class Unknown implements java.io.Serializable {
        final String text;

        Unknown(String text) {
            this.text = text;
        }
    }

    private static final class UnknownFault extends RuntimeException {
        UnknownFault(String message) {
            super(message);
        }
    }

    private static void awaitAdvisory(
            MessageConsumer advisories, java.util.function.Predicate<Object> wanted) throws Exception {
        while (!wanted.test(((org.apache.activemq.command.ActiveMQMessage) receive(advisories)).getDataStructure())) { }
    }

    private static void awaitDestination(
            MessageConsumer advisories, javax.jms.Destination destination, boolean isThere) throws Exception {
        awaitAdvisory(advisories, told -> told instanceof org.apache.activemq.command.DestinationInfo info
            && info.getDestination().equals(destination) && info.isAddOperation() == isThere);
    }

    private static boolean knows(
            java.util.Set<? extends org.apache.activemq.command.ActiveMQDestination> there, String name) {
        return there.stream().anyMatch(one -> one.getPhysicalName().equals(name));
    }

    private static void until(java.util.function.BooleanSupplier condition) throws Exception {
        for (long end = System.nanoTime() + WAIT * 1_000_000; !condition.getAsBoolean(); Thread.sleep(10)) {
            if (System.nanoTime() > end) fail("it did not come about");
        }
    }

    private static Object object(Message message) throws Exception {
        // The client itself refuses to make objects unless told whom to trust; the broker never does.
        ((org.apache.activemq.command.ActiveMQObjectMessage) message).setTrustAllPackages(true);
        return ((ObjectMessage) message).getObject();
    }

    private ActiveMQConnection connect(String options) throws Exception {
        Connection connection = new ActiveMQConnectionFactory(url + options).createConnection();
        connections.add(connection);
        connection.start();
        return (ActiveMQConnection) connection;
    }

    private Session session() throws Exception {
        return connect("").createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    private Queue queue(Session session) throws Exception {
        return session.createQueue("jms." + name);
    }

    private static void send(Session session, javax.jms.Destination to, String... texts) throws Exception {
        MessageProducer producer = session.createProducer(to);
        for (String text : texts) producer.send(session.createTextMessage(text));
        producer.close();
    }

    private void sendNumber(Topic topic, int number) throws Exception {
        Session session = session();
        TextMessage message = session.createTextMessage("" + number);
        message.setIntProperty("n", number);
        session.createProducer(topic).send(message);
    }

    private static void expect(Session session, Queue queue, String selector, String... texts) throws Exception {
        MessageConsumer consumer = session.createConsumer(queue, selector);
        for (String text : texts) equal(text, text(consumer));
        if (texts.length == 0) receive(consumer);
        consumer.close();
    }

    private static Message receive(MessageConsumer consumer) throws Exception {
        Message message = consumer.receive(WAIT);
        if (message == null) fail("no message came");
        return message;
    }

    private static String text(MessageConsumer consumer) throws Exception {
        return ((TextMessage) receive(consumer)).getText();
    }

    private static void equal(Object expected, Object got) {
        if (!Objects.equals(expected, got)) fail("expected " + expected + ", got " + got);
    }

    private static void fail(String what) {
        throw new AssertionError(what);
    }
}
