import javax.jms.JMSException;
import javax.jms.JMSSecurityException;
import org.apache.activemq.ActiveMQConnection;
import org.apache.activemq.ActiveMQConnectionFactory;

/** usage: LoginRefused PORT USER PASSWORD. With the failover transport, which is to give up. */
public final class LoginRefused {
    private LoginRefused() { }

    public static void main(String[] arguments) throws Exception {
        String url = "failover:(tcp://localhost:" + arguments[0] + ")?initialReconnectDelay=10";
        ActiveMQConnectionFactory factory = new ActiveMQConnectionFactory(arguments[1], arguments[2], url);
        ActiveMQConnection connection = (ActiveMQConnection) factory.createConnection();
        java.util.concurrent.CountDownLatch over = new java.util.concurrent.CountDownLatch(1);
        connection.setExceptionListener(failure -> over.countDown());
        try {
            connection.start();
            throw new IllegalStateException("the login was taken");
        } catch (JMSException refused) {
            if (!(refused instanceof JMSSecurityException)) throw refused;
            System.out.println(refused.getMessage());
        }
        // Unless the exception is Java's own, it says nothing here and comes again and again.
        if (!over.await(20, java.util.concurrent.TimeUnit.SECONDS)) throw new IllegalStateException("it goes on");
        if (!connection.isTransportFailed()) throw new IllegalStateException("it is connected still");
        System.out.println("ok");
        System.exit(0);
    }
}
