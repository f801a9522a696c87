using System.CommandLine;
using EdgeSplit.Tool;
using EdgeSplit.Tool.Commands;

var root = new RootCommand("Splits ONNX models over several devices, checks the parts, and runs them.")
{
    InspectCommand.Create(),
    SplitCommand.Create(),
    VerifyCommand.Create(),
    PlanCommand.Create(),
    ProfileCommand.Create(),
    FleetCommand.Create(),
    AgentCommand.Create(),
    RunCommand.Create(),
    ServeCommand.Create(),
    SimulateCommand.Create(),
    CertsCommand.Create(),
    ZooCommand.Create(),
};
return await CommandLine.InvokeAsync(root, args);
