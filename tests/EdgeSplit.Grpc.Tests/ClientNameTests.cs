using System.Net;
using EdgeSplit.Grpc.Coordination;
using Microsoft.AspNetCore.Http;

namespace EdgeSplit.Grpc.Tests;

public sealed class ClientNameTests
{
    [TestCase(null, "192.0.2.7")]
    [TestCase("camera", "192.0.2.7 camera")]
    public void Of_is_the_address_and_what_the_client_calls_itself(string? header, string expected)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse("192.0.2.7");
        if (header is not null)
            context.Request.Headers[ClientName.Header] = header;

        Assert.That(ClientName.Of(context, new GrpcServiceOptions()).Client, Is.EqualTo(expected));
    }

    [Test]
    public void Of_is_what_the_application_says() => Assert.That(
        ClientName.Of(new DefaultHttpContext(), new GrpcServiceOptions { ClientOf = static _ => "tenant" }).Client, Is.EqualTo("tenant"));
}
