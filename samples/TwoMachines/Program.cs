// A coordinator and an agent as two processes, as on two machines: over TCP, with TLS and a join token.
//   TwoMachines secrets FOLDER             makes what both need: an authority, two certificates, a token
//   TwoMachines agent HOST:PORT FOLDER     serves an agent there until stopped
//   TwoMachines coordinator HOST:PORT FOLDER   splits MobileNetV2 between itself and that agent, and runs it
using TwoMachines;

switch (args)
{
    case ["secrets", string folder]:
        Secrets.Create(folder);
        Console.WriteLine($"made {string.Join(", ", Directory.GetFiles(folder).Select(Path.GetFileName).Order())} in {folder}");
        return 0;
    case ["agent", string address, string folder]:
        await AgentSide.RunAsync(address, Secrets.Load(folder, "agent"));
        return 0;
    case ["coordinator", string address, string folder]:
        return await CoordinatorSide.RunAsync(address, Secrets.Load(folder, "coordinator"));
    default:
        Console.Error.WriteLine("usage: TwoMachines secrets FOLDER | agent HOST:PORT FOLDER | coordinator HOST:PORT FOLDER");
        return 2;
}
